import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";

export default defineConfig({
  // Relative, so that the page works wherever the plugin is mounted.
  base: "./",
  plugins: [svelte()],
  build: { outDir: "../priv/static", emptyOutDir: true },
});
