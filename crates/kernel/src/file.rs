//! Files and descriptors, as far as the standard library does not reach.

#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::check;

/// From now on a read of this pipe never waits: fcntl(2), O_NONBLOCK.
///
/// # Errors
/// Those of fcntl(2).
pub fn set_nonblocking(pipe: &impl AsFd) -> io::Result<()> {
    let pipe = pipe.as_fd().as_raw_fd();
    // SAFETY: the call takes numbers.
    let flags = check(unsafe { libc::fcntl(pipe, libc::F_GETFL) })?;
    // SAFETY: as above.
    check(unsafe { libc::fcntl(pipe, libc::F_SETFL, flags | libc::O_NONBLOCK) }).map(drop)
}

/// Whether this process may execute a file: access(2), X_OK.
pub fn may_execute(path: &Path) -> bool {
    let Ok(path) = name(path) else {
        return false;
    };
    // SAFETY: the name ends with a zero.
    unsafe { libc::access(path.as_ptr(), libc::X_OK) == 0 }
}

/// Makes a FIFO that its owner may read and write: mkfifo(3).
///
/// # Errors
/// Those of mkfifo(3), such as EEXIST.
pub fn make_fifo(path: &Path) -> io::Result<()> {
    let path = name(path)?;
    // SAFETY: the name ends with a zero.
    check(unsafe { libc::mkfifo(path.as_ptr(), libc::S_IRUSR | libc::S_IWUSR) }).map(drop)
}

fn name(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

#[cfg(target_os = "linux")]
pub use linux::{Links, socket_protocol};

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{File, OpenOptions};
    use std::io::{self, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::OpenOptionsExt;
    use std::path::Path;

    use super::name;

    /// A folder of numbered links, such as `/proc/PID/fd`, kept open: so its links
    /// are found in half the time.
    #[derive(Debug)]
    pub struct Links(File);

    impl Links {
        /// Opens the folder with O_PATH.
        ///
        /// # Errors
        /// Those of open(2).
        pub fn open(folder: &Path) -> io::Result<Self> {
            let mut options = OpenOptions::new();
            options.read(true);
            options.custom_flags(libc::O_PATH | libc::O_DIRECTORY);
            options.open(folder).map(Self)
        }

        /// The beginning of what a link says, as much as fits: readlinkat(2).
        ///
        /// # Errors
        /// ENOENT when there is no such link.
        pub fn read<'a>(&self, number: u32, buffer: &'a mut [u8]) -> io::Result<&'a [u8]> {
            // Ten digits, and the zero that ends the name.
            let mut name = [0_u8; 11];
            write!(&mut name[..10], "{number}")?;
            // SAFETY: the name ends with a zero, and the kernel writes at most as
            // many bytes as the buffer has.
            let length = unsafe {
                libc::readlinkat(
                    self.0.as_raw_fd(),
                    name.as_ptr().cast(),
                    buffer.as_mut_ptr().cast(),
                    buffer.len(),
                )
            };
            let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
            Ok(&buffer[..length])
        }
    }

    /// The kernel's name for what a socket speaks, such as `TCP`: getxattr(2) of
    /// its link in /proc. None when it is no socket, or gone.
    pub fn socket_protocol(link: &Path) -> Option<String> {
        let link = name(link).ok()?;
        let mut buffer = [0_u8; 32];
        // SAFETY: both names end with a zero, and the kernel writes at most as many
        // bytes as the buffer has.
        let length = unsafe {
            libc::getxattr(
                link.as_ptr(),
                c"system.sockprotoname".as_ptr(),
                buffer.as_mut_ptr().cast(),
                buffer.len(),
            )
        };
        let name = buffer.get(..usize::try_from(length).ok()?)?;
        let name = name.strip_suffix(b"\0").unwrap_or(name);
        std::str::from_utf8(name).ok().map(str::to_string)
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{ErrorKind, Read};
    use std::net::TcpListener;
    use std::{fs, process};

    use super::*;

    #[test]
    fn a_read_of_a_pipe_that_does_not_wait_says_that_it_would() {
        let (mut reader, _writer) = io::pipe().unwrap();
        set_nonblocking(&reader).unwrap();
        let refused = reader.read(&mut [0]).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_program_may_be_executed_and_a_text_may_not() {
        assert!(may_execute(Path::new("/bin/sh")));
        assert!(!may_execute(Path::new("/proc/version")));
        assert!(!may_execute(Path::new("/nonexistent")));
        assert!(!may_execute(Path::new("with\0zero")));
    }

    #[test]
    fn the_link_of_a_socket_says_its_inode_and_its_protocol() {
        use std::os::unix::fs::MetadataExt;
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let links = Links::open(Path::new("/proc/self/fd")).unwrap();
        let number = socket.as_raw_fd() as u32;
        let mut buffer = [0; 64];
        let link = links.read(number, &mut buffer).unwrap();
        let path = format!("/proc/self/fd/{number}");
        let expected = format!("socket:[{}]", fs::metadata(&path).unwrap().ino());
        assert_eq!(link, expected.as_bytes());
        assert_eq!(links.read(number, &mut [0; 3]).unwrap(), b"soc");
        assert!(links.read(u32::MAX, &mut buffer).is_err());
        assert_eq!(socket_protocol(Path::new(&path)).as_deref(), Some("TCP"));
        assert_eq!(socket_protocol(Path::new("/proc/version")), None);
    }

    #[test]
    fn a_fifo_is_made_once() {
        use std::os::unix::fs::FileTypeExt;
        let path = std::env::temp_dir().join(format!("dialtone-fifo-{}", process::id()));
        make_fifo(&path).unwrap();
        let again = make_fifo(&path).unwrap_err();
        let made = fs::metadata(&path).unwrap().file_type();
        fs::remove_file(&path).unwrap();
        assert!(made.is_fifo());
        assert_eq!(again.kind(), ErrorKind::AlreadyExists);
    }
}
