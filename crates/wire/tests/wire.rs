//! Real programs' sockets on real hosts, with rules on the cable.
//!
//! Only a process with one thread may leave for namespaces of its own, and a test
//! harness has several. So each play is run by this program, started once more.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("namespaces exist on Linux only: nothing to test here");
}

#[cfg(target_os = "linux")]
mod plays;

#[cfg(target_os = "linux")]
fn main() {
    use libtest_mimic::{Arguments, Trial, run};

    if let Ok(name) = std::env::var(plays::PLAY) {
        let play = plays::all().into_iter().find(|(play, _)| *play == name);
        return play.expect("a play of this name").1();
    }
    let allowed = kernel::probe::private_network().is_ok();
    let trials = plays::all().into_iter().map(|(name, _)| {
        let trial = Trial::test(name, move || plays::in_child(name));
        // What the machine forbids is shown as ignored; CI includes the ignored.
        trial
            .with_ignored_flag(!allowed)
            .with_kind("needs namespaces")
    });
    let mut arguments = Arguments::from_args();
    // Most of a play is waiting, for the timers of the kernel.
    arguments.test_threads.get_or_insert(8);
    run(&arguments, trials.collect()).exit();
}
