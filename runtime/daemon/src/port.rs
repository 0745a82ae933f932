//! Who listens on a port: asked of `/proc`, for a message that helps.

use std::fs;
use std::path::Path;

/// Names the process that listens on `port` of this machine, if that can be seen: `` `nginx` (process 812) ``.
pub fn holder_of(port: u16) -> Option<String> {
    let inodes: Vec<String> = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| listeners(Path::new(table), port))
        .collect();
    let processes = fs::read_dir("/proc").ok()?;
    for process in processes.flatten() {
        let Some(pid) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let Ok(descriptors) = fs::read_dir(process.path().join("fd")) else {
            continue;
        };
        let holds = descriptors.flatten().any(|descriptor| {
            let target = fs::read_link(descriptor.path()).ok();
            let target = target.as_deref().and_then(Path::to_str).unwrap_or_default();
            inodes
                .iter()
                .any(|inode| target == format!("socket:[{inode}]"))
        });
        if holds {
            let name = fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("`{}` (process {pid})", name.trim()));
        }
    }
    None
}

/// Socket inodes that listen on `port`, of one of the kernel's tables: columns are number, local address, remote
/// address, state (0A listens), and the inode is the tenth.
fn listeners(table: &Path, port: u16) -> Vec<String> {
    let table = fs::read_to_string(table).unwrap_or_default();
    let listening = table.lines().skip(1).filter_map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        let local = columns.get(1)?.rsplit(':').next()?;
        let listens = u16::from_str_radix(local, 16).ok()? == port && *columns.get(3)? == "0A";
        listens
            .then(|| columns.get(9).map(|inode| (*inode).to_owned()))
            .flatten()
    });
    listening.collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::holder_of;

    #[test]
    fn names_this_very_process() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let holder = holder_of(listener.local_addr().unwrap().port()).unwrap();
        assert!(
            holder.ends_with(&format!("(process {})", std::process::id())),
            "{holder}"
        );
    }
}
