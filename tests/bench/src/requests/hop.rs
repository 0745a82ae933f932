//! The daemon with the plugin in it, made and installed by the commands that users have.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::server::Server;
use crate::checkout::{self, Hecate, run};
use crate::progress;

/// Starts a daemon of its own home with the plugin `name` installed, which is made as [`bundle`] says.
pub(super) fn start(name: &str, fill: impl FnOnce(&Hecate, &Path) -> Result<()>) -> Result<Server> {
    // Always the same place: what was compiled there is found again. Bundles hold the directory's name in their flags.
    let dir = checkout::target_dir()?.join("bench");
    let home = home()?;
    let _gone = fs::remove_dir_all(&home);
    fs::create_dir_all(home.join("cache"))?;
    fs::create_dir_all(dir.join("build"))?;
    symlink(dir.join("build"), home.join("cache/build"))?;
    let hecate = Hecate::build(home)?;
    let bundle = bundle(&hecate, &dir.join(name), fill)?;

    let port = free_port()?.to_string();
    let server = Server::start(&mut hecate.command(&dir, ["serve", "--port", &port]))?;
    let bundle = bundle.to_string_lossy();
    run(&mut hecate.command(&dir, ["install", bundle.as_ref(), "--port", &port]))?;
    Ok(server)
}

/// Where the daemon keeps everything.
pub(super) fn home() -> Result<PathBuf> {
    Ok(checkout::target_dir()?.join("bench/home"))
}

/// The plugin with the routes that the bare server has too.
pub(super) fn with_routes(_: &Hecate, project: &Path) -> Result<()> {
    fs::write(project.join("src/lib.rs"), include_str!("plugin/lib.rs"))?;
    let routes = include_str!("plugin/routes.rs");
    Ok(fs::write(project.join("src/routes.rs"), routes)?)
}

/// Makes a new plugin, lets `fill` put in what it is about, and bundles it for release.
fn bundle(
    hecate: &Hecate,
    project: &Path,
    fill: impl FnOnce(&Hecate, &Path) -> Result<()>,
) -> Result<PathBuf> {
    progress("bundling the plugin");
    let _gone = fs::remove_dir_all(project);
    let (dir, name) = project
        .parent()
        .zip(project.file_name())
        .context("it lies in a directory")?;
    let name = name.to_string_lossy();
    run(&mut hecate.command(dir, ["new", "plugin", &name, "--frontend", "none"]))?;
    fill(hecate, project)?;
    let out = dir.join("bundle");
    let _gone = fs::remove_dir_all(&out);
    let out_dir = out.to_string_lossy();
    run(&mut hecate.command(project, ["bundle", "--out", out_dir.as_ref()]))?;
    let mut files = fs::read_dir(&out)?;
    Ok(files.next().context("there is a bundle")??.path())
}

fn free_port() -> Result<u16> {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(taken.local_addr()?.port())
}
