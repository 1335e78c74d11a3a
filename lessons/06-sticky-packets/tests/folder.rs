//! What leaves the folder, and what does not.

use std::fs;
use std::io::Read;
use std::path::Path;

use lesson_6::folder::Folder;
use lesson_6::message::Request;
use rstest::rstest;
use tempfile::TempDir;

/// `root` with two files in it, and next to it a file that is nobody's business.
fn folder() -> (TempDir, Folder) {
    let outer = tempfile::tempdir().unwrap();
    let root = outer.path().join("root");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(root.join("b.txt"), "bb").unwrap();
    fs::write(root.join("a.txt"), "a").unwrap();
    fs::write(root.join("sub/inner.txt"), "inner").unwrap();
    fs::write(outer.path().join("secret.txt"), "secret").unwrap();
    let folder = Folder::open(&root).unwrap();
    (outer, folder)
}

fn ask(folder: &Folder, request: &Request) -> Result<String, String> {
    let mut content = folder.answer(request)?;
    let mut text = String::new();
    content.body.read_to_string(&mut text).unwrap();
    assert_eq!(text.len() as u64, content.size);
    Ok(text)
}

fn get(folder: &Folder, name: &str) -> Result<String, String> {
    ask(folder, &Request::Get { name: name.into() })
}

fn list(folder: &Folder) -> String {
    ask(folder, &Request::List).unwrap()
}

#[test]
fn the_list_has_one_line_for_each_file_sorted_by_name() {
    let (outer, folder) = folder();
    assert_eq!(list(&folder), "1 a.txt\n2 b.txt\n");
    fs::write(outer.path().join("root/你好 1"), "").unwrap();
    fs::write(outer.path().join("root/Z"), "zzz").unwrap();
    assert_eq!(list(&folder), "3 Z\n1 a.txt\n2 b.txt\n0 你好 1\n");
}

#[test]
fn the_list_of_an_empty_folder_is_empty() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(list(&Folder::open(empty.path()).unwrap()), "");
}

#[rstest]
#[case::up("../secret.txt", "leads out of the folder")]
#[case::up_and_down_again("../root/a.txt", "leads out of the folder")]
#[case::down_and_up("sub/../../secret.txt", "leads out of the folder")]
#[case::only_up("..", "leads out of the folder")]
#[case::absolute("/etc/passwd", "is an absolute name")]
#[case::only_the_root("/", "is an absolute name")]
#[case::a_folder_in_it("sub/inner.txt", "names a folder")]
#[case::a_slash_at_the_end("a.txt/", "names a folder")]
#[case::a_dot_before_it("./a.txt", "names a folder")]
#[case::itself(".", "names a folder")]
#[case::a_folder("sub", "is a folder")]
#[case::nothing("", "is no name of a file")]
#[case::a_zero_byte("a.txt\0", "is no name of a file")]
#[case::a_line_end("a\nb", "is no name of a file")]
#[case::not_there("c.txt", "no such file")]
#[case::very_long(&"x".repeat(5000), "")]
fn a_name_that_is_not_the_name_of_a_file_in_it_is_refused(#[case] name: &str, #[case] why: &str) {
    let (outer, folder) = folder();
    let reason = get(&folder, name).unwrap_err();
    assert!(reason.contains(why), "{reason}");
    let place = outer.path().to_str().unwrap();
    assert!(
        !reason.contains(place),
        "it tells where the folder lies: {reason}"
    );
    assert!(reason.len() < 300);
}

/// A link may be a file of the folder, and then it is listed; else it is refused.
#[cfg(unix)]
#[rstest]
#[case::to_a_file("../secret.txt", Err("is a link that leads out of the folder"))]
#[case::to_a_folder("..", Err("is a link that leads out of the folder"))]
#[case::to_an_absolute_path("/etc/passwd", Err("is a link that leads out of the folder"))]
#[case::to_a_name_that_begins_alike("../root-2/x", Err("is a link that leads out of the folder"))]
#[case::to_nothing("nothing", Err("no such file"))]
#[case::in_a_circle("link", Err(""))]
#[case::to_a_file_inside("sub/inner.txt", Ok("inner"))]
fn a_link_is_the_file_that_it_leads_to_if_it_stays_inside(
    #[case] target: &str,
    #[case] expected: Result<&str, &str>,
) {
    let (outer, folder) = folder();
    fs::create_dir(outer.path().join("root-2")).unwrap();
    fs::write(outer.path().join("root-2/x"), "x").unwrap();
    std::os::unix::fs::symlink(target, outer.path().join("root/link")).unwrap();
    let is_listed = list(&folder) == "1 a.txt\n2 b.txt\n5 link\n";
    assert_eq!(is_listed, expected.is_ok());
    let answer = get(&folder, "link");
    let as_expected = match (&answer, expected) {
        (Ok(text), Ok(expected)) => text == expected,
        (Err(reason), Err(end)) => reason.ends_with(end),
        _ => false,
    };
    assert!(as_expected, "{answer:?}");
}

/// To open a FIFO waits until somebody writes to it.
#[cfg(unix)]
#[test]
fn a_fifo_is_neither_listed_nor_waited_for() {
    let (outer, folder) = folder();
    make_fifo(&outer.path().join("root/fifo"));
    assert_eq!(list(&folder), "1 a.txt\n2 b.txt\n");
    let reason = get(&folder, "fifo").unwrap_err();
    assert_eq!(reason, "\"fifo\" is no regular file");
}

#[cfg(unix)]
fn make_fifo(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_socket_is_no_regular_file() {
    let (outer, folder) = folder();
    let path = outer.path().join("root/socket");
    let _listener = std::os::unix::net::UnixListener::bind(path).unwrap();
    assert_eq!(list(&folder), "1 a.txt\n2 b.txt\n");
    let reason = get(&folder, "socket").unwrap_err();
    assert_eq!(reason, "\"socket\" is no regular file");
}

/// Nobody could ask for it: a request is UTF-8.
#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_name_is_not_utf_8_is_not_listed() {
    use std::os::unix::ffi::OsStrExt;
    let (outer, folder) = folder();
    let root = outer.path().join("root");
    fs::write(root.join(std::ffi::OsStr::from_bytes(b"c\xff")), "x").unwrap();
    // Nor is it taken for the file whose name looks the same on the screen.
    fs::write(root.join("c\u{fffd}"), "yy").unwrap();
    assert_eq!(list(&folder), "1 a.txt\n2 b.txt\n2 c\u{fffd}\n");
}

/// It would look like two files in the list.
#[cfg(unix)]
#[test]
fn a_file_with_a_line_end_in_its_name_is_neither_listed_nor_handed_out() {
    let (outer, folder) = folder();
    fs::write(outer.path().join("root/c\n9 d"), "x").unwrap();
    assert_eq!(list(&folder), "1 a.txt\n2 b.txt\n");
    assert!(get(&folder, "c\n9 d").is_err());
}

#[rstest]
#[case::nothing_there("nowhere")]
#[case::a_file("root/a.txt")]
fn what_is_no_folder_is_an_error_with_a_way_out(#[case] path: &str) {
    let (outer, _) = folder();
    let path = outer.path().join(path);
    let error = Folder::open(&path).err().unwrap().to_string();
    assert!(error.starts_with(&format!("open the folder {}: ", path.display())));
    assert!(error.ends_with("; pass another --root"), "{error}");
}

#[test]
fn a_folder_that_is_gone_later_is_an_answer_and_no_end() {
    let (outer, folder) = folder();
    fs::remove_dir_all(outer.path()).unwrap();
    let reason = ask(&folder, &Request::List).unwrap_err();
    assert_eq!(reason, "the folder cannot be read: no such file");
}
