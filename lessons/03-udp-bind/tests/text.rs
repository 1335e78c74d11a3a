//! What the encodings make of bytes and of text.

use lesson_3::text::Encoding::{self, Gbk, Utf8};
use rstest::rstest;

#[rstest]
#[case(Utf8, "hello", b"hello")]
#[case(Gbk, "hello", b"hello")]
#[case(Utf8, "你好", b"\xe4\xbd\xa0\xe5\xa5\xbd")]
#[case(Gbk, "你好", b"\xc4\xe3\xba\xc3")]
#[case(Utf8, "é😀", b"\xc3\xa9\xf0\x9f\x98\x80")]
fn text_becomes_bytes_and_is_read_again(
    #[case] encoding: Encoding,
    #[case] text: &str,
    #[case] bytes: &[u8],
) {
    assert_eq!(encoding.encode(text.as_bytes()).unwrap(), bytes);
    assert_eq!(encoding.quoted(bytes), format!("\"{text}\""));
}

#[test]
fn the_wrong_encoding_can_give_wrong_characters_without_an_error() {
    let bytes = Utf8.encode("你好".as_bytes()).unwrap();
    assert_eq!(Gbk.quoted(&bytes), "\"浣犲ソ\"");
}

#[rstest]
#[case::an_emoji("😀")]
#[case::the_euro_sign("€")]
#[case::one_character_in_a_text("1 €, 你好")]
fn gbk_lacks(#[case] text: &str) {
    let error = Gbk.encode(text.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("a character is not in GBK"), "{error}");
}

#[rstest]
#[case::the_byte_of_the_euro_sign_on_windows(Gbk, b"\x80", r#""\x80""#)]
#[case::a_byte_of_no_meaning(Gbk, b"\xff", r#""\xff""#)]
#[case::half_a_character(Gbk, b"\xc4", r#""\xc4""#)]
#[case::a_second_byte_out_of_range(Gbk, b"\xc4\x20", r#""\xc4 ""#)]
#[case::four_bytes_of_gb18030(Gbk, b"\x81\x30\x81\x30", r#""\x810\x810""#)]
#[case::a_pair_for_private_use(Gbk, b"\xfe\xfe", r#""\xfe\xfe""#)]
#[case::too_short(Utf8, b"\xe4\xbd", r#""\xe4\xbd""#)]
#[case::in_the_middle(Utf8, b"a\xffb", r#""a\xffb""#)]
#[case::longer_than_needed(Utf8, b"\xc0\x80", r#""\xc0\x80""#)]
#[case::half_of_a_pair_of_utf16(Utf8, b"\xed\xa0\x80", r#""\xed\xa0\x80""#)]
fn what_an_encoding_does_not_define_is_shown_as_bytes(
    #[case] encoding: Encoding,
    #[case] bytes: &[u8],
    #[case] shown: &str,
) {
    assert_eq!(encoding.quoted(bytes), shown);
}

#[rstest]
#[case::quotes(r#"say "it's""#, r#""say \"it's\"""#)]
#[case::a_backslash(r"\xff", r#""\\xff""#)]
#[case::an_accent_without_its_letter("e\u{301}", r#""e\u{301}""#)]
#[case::the_terminal_s_own_commands("\u{1b}[2J\u{7}", r#""\u{1b}[2J\u{7}""#)]
#[case::a_turn_of_direction("\u{202e}x", r#""\u{202e}x""#)]
fn text_is_shown_so_that_it_cannot_be_mistaken(#[case] text: &str, #[case] shown: &str) {
    assert_eq!(Utf8.quoted(text.as_bytes()), shown);
}

#[rstest]
#[case::utf8(Utf8)]
#[case::gbk(Gbk)]
fn a_long_text_is_cut_between_two_characters(#[case] encoding: Encoding) {
    for ahead in 0..4 {
        let text = format!("{}{}", "x".repeat(ahead), "好".repeat(40));
        let shown = encoding.quoted(&encoding.encode(text.as_bytes()).unwrap());
        let shown = shown.strip_prefix('"').unwrap().strip_suffix("\" …").unwrap();
        assert!(text.starts_with(shown), "{shown}");
    }
}

#[test]
fn upper_case_changes_the_letters_a_to_z_and_no_byte_of_another_character() {
    for second in (0x40..=0xfe).filter(|&second| second != 0x7f) {
        let pair = [b'a', 0x81, second, b'z', b'1'];
        assert_eq!(Gbk.upper(&pair), [b'A', 0x81, second, b'Z', b'1']);
    }
    assert_eq!(
        Utf8.upper("aé你z".as_bytes()),
        "AéZ".replace('Z', "你Z").as_bytes()
    );
    assert_eq!(Utf8.upper(b"a\xffz"), b"A\xffZ");
}

#[rstest]
#[case::utf8(Utf8)]
#[case::gbk(Gbk)]
fn no_bytes_are_a_problem(#[case] encoding: Encoding) {
    for first in 0..=255 {
        for second in 0..=255 {
            for bytes in [
                &[first][..],
                &[first, second],
                &[first, second, first, second],
            ] {
                encoding.quoted(bytes);
                assert_eq!(encoding.upper(bytes).len(), bytes.len());
            }
        }
    }
}
