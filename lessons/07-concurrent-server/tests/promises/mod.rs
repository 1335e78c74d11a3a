//! What each model promises, whoever it is. `beyond/race` holds its own model to
//! the same.

pub mod answers;
pub mod hurt_nobody;
pub mod stop;

/// Makes a test of each promise for each of these models: `all` of them, and
/// those that are `concurrent`.
#[rustfmt::skip]
macro_rules! keep {
    (all: $all:tt, concurrent: $concurrent:tt) => {
        $crate::promises::keep!(@each $all: answers::{
            the_answer_is_as_the_flag_says,
            each_message_of_a_call_is_answered_also_bytes_that_are_no_text,
            a_caller_that_has_finished_sending_still_gets_all_answers,
            two_mebibytes_of_all_byte_values_come_back_unchanged,
            quiet_leaves_the_first_line_and_the_end,
        });
        $crate::promises::keep!(@each $concurrent: answers::{
            eight_callers_are_served_at_the_same_time_in_any_order,
            one_caller_too_many_is_left_waiting_until_a_place_is_free,
        });
        $crate::promises::keep!(@each $all: hurt_nobody::{ a_caller_that_resets_its_call, });
        $crate::promises::keep!(@each $concurrent: hurt_nobody::{
            a_caller_that_never_writes,
            a_caller_that_never_reads,
            a_caller_that_sends_without_a_pause,
            a_panic_in_its_handler,
            #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc and a limit by ulimit")]
            a_caller_for_whom_no_descriptor_is_left,
        });
        $crate::promises::keep!(@each $all: stop::{
            a_silent_call_is_cut_off_at_once_without_a_grace,
            a_silent_call_is_cut_off_at_the_deadline,
            a_call_whose_client_never_reads_is_cut_off_too,
            a_second_ctrl_c_ends_it_at_once_with_status_130,
            sigterm_is_a_request_to_stop_like_ctrl_c,
        });
        $crate::promises::keep!(@each $concurrent: stop::{
            a_running_call_may_finish_while_nobody_new_is_connected,
            it_stops_also_while_it_waits_for_a_place,
            what_was_sent_before_the_end_arrives,
            #[cfg_attr(not(target_os = "linux"), ignore = "needs a limit by ulimit")]
            it_stops_also_when_it_has_no_descriptor_left,
        });
    };
    (@each $models:tt: $kind:ident::{ $($(#[$note:meta])* $promise:ident,)* }) => {
        $(
            #[rstest::rstest]
            $(#[$note])*
            fn $promise(#[values $models] model: &str) {
                $crate::promises::$kind::$promise(model);
            }
        )*
    };
}
pub(crate) use keep;
