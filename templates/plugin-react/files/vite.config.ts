import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  // Relative, so that the page works wherever the plugin is mounted.
  base: "./",
  plugins: [react()],
  build: { outDir: "../priv/static", emptyOutDir: true },
});
