//! What the kernel tells about processes and about the machine (Linux).

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// A server: its process, and the processes that it has started.
pub struct Family {
    root: u32,
}

impl Family {
    pub fn new(root: u32) -> Self {
        Self { root }
    }

    pub fn pids(&self) -> Vec<u32> {
        let mut all = vec![self.root];
        let mut next = 0;
        while let Some(pid) = all.get(next).copied() {
            for task in tasks(pid) {
                let path = format!("/proc/{pid}/task/{task}/children");
                let children = fs::read_to_string(path).unwrap_or_default();
                let children = children.split_whitespace();
                all.extend(children.filter_map(|pid| pid.parse::<u32>().ok()));
            }
            next += 1;
        }
        all
    }

    pub fn threads(&self) -> usize {
        self.pids().into_iter().map(|pid| tasks(pid).len()).sum()
    }

    /// The CPU time of all its threads, in nanoseconds: a process has a clock
    /// that runs while it runs (clock_getcpuclockid(3)). The times in
    /// /proc/PID/stat have steps of 10 ms.
    fn cpu(&self) -> Duration {
        let clock = |pid: u32| -> Option<Duration> {
            let clock = clock_getcpuclockid(Pid::from_raw(pid as i32)).ok()?;
            Some(clock_gettime(clock).ok()?.into())
        };
        self.pids().into_iter().filter_map(clock).sum()
    }

    /// How often one of its threads gave the core away or lost it.
    fn switches(&self) -> u64 {
        let each = self.pids().into_iter().flat_map(|pid| {
            let path = move |task| format!("/proc/{pid}/task/{task}/status");
            tasks(pid).into_iter().map(path)
        });
        each.map(|path| {
            field(&path, "voluntary_ctxt_switches:") + field(&path, "nonvoluntary_ctxt_switches:")
        })
        .sum()
    }

    /// Memory that only these processes have, in KiB.
    pub fn memory(&self) -> u64 {
        let each = self.pids().into_iter();
        each.map(|pid| field(&format!("/proc/{pid}/smaps_rollup"), "Private_Dirty:"))
            .sum()
    }
}

fn tasks(pid: u32) -> Vec<u32> {
    let entries = fs::read_dir(format!("/proc/{pid}/task"));
    let names = entries.into_iter().flatten().flatten();
    names
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect()
}

/// A number behind its name in one of the text files of /proc; 0 if it is gone.
fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let rest = text.lines().find_map(|line| line.strip_prefix(name));
    let number = rest.and_then(|rest| rest.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// The clocks at one moment.
pub struct Moment {
    pub time: Instant,
    crowd: Duration,
    server: Duration,
    switches: u64,
    busy: Duration,
}

/// What was used between two moments.
pub struct Used {
    pub time: Duration,
    pub crowd_cpu: Duration,
    pub server_cpu: Duration,
    pub switches: u64,
    /// What everybody else used, of one core.
    pub others: f64,
}

impl Moment {
    pub fn now(server: &Family) -> Result<Self> {
        Ok(Self {
            switches: server.switches(),
            busy: busy()?,
            crowd: own_cpu()?,
            server: server.cpu(),
            time: Instant::now(),
        })
    }

    pub fn since(&self, before: &Self) -> Used {
        let time = self.time - before.time;
        let crowd_cpu = self.crowd - before.crowd;
        let server_cpu = self.server.saturating_sub(before.server);
        let others = (self.busy - before.busy).saturating_sub(crowd_cpu + server_cpu);
        Used {
            time,
            crowd_cpu,
            server_cpu,
            switches: self.switches.saturating_sub(before.switches),
            others: others.as_secs_f64() / time.as_secs_f64(),
        }
    }
}

/// The CPU time of this thread.
pub fn own_cpu() -> Result<Duration> {
    let clock = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    Ok(clock.context("clock_gettime")?.into())
}

/// How long the cores were busy since the machine started, all together.
fn busy() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("/proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let ticks = line.split_whitespace().skip(1);
    let ticks: Vec<u64> = ticks.filter_map(|tick| tick.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal: all but idle and iowait.
    let busy = [0, 1, 2, 5, 6, 7].map(|field| ticks.get(field).copied().unwrap_or(0));
    Ok(Duration::from_millis(10 * busy.iter().sum::<u64>()))
}

/// The kernel's memory for what programs hold open, in KiB: socket structures
/// (Slab), stacks of threads in the kernel, page tables, and data in queues.
pub fn kernel_memory() -> u64 {
    let names = ["Slab:", "KernelStack:", "PageTables:"];
    let known: u64 = names.iter().map(|name| field("/proc/meminfo", name)).sum();
    known + queued()
}

/// Pages of data in TCP queues: "TCP: inuse 5 orphan 0 tw 0 alloc 7 mem 1".
fn queued() -> u64 {
    let text = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with("TCP:"));
    let pages = line.and_then(|line| line.split("mem ").nth(1)?.trim().parse::<u64>().ok());
    pages.unwrap_or(0) * 4
}

/// The line of /proc/net/udp about the socket that receives on this port.
pub fn udp_socket(port: u16) -> Option<String> {
    let sockets = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    let ours = format!(":{port:04X} 00000000:0000");
    let line = sockets.lines().find(|line| line.contains(&ours));
    line.map(str::to_string)
}

/// Memory that the machine could still give away, in KiB.
pub fn available_memory() -> u64 {
    field("/proc/meminfo", "MemAvailable:")
}

/// The load of the last minute.
pub fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or_default().to_string()
}

/// The cores on which this program may run.
pub fn cores() -> Result<Vec<usize>> {
    let set = sched_getaffinity(Pid::from_raw(0)).context("sched_getaffinity")?;
    let cores = (0..CpuSet::count()).filter(|core| set.is_set(*core).unwrap_or(false));
    Ok(cores.collect())
}

/// From now on this thread, and what it starts, runs on these cores only.
pub fn stay_on(cores: &[usize]) -> Result<()> {
    let mut set = CpuSet::new();
    for core in cores {
        set.set(*core)?;
    }
    sched_setaffinity(Pid::from_raw(0), &set).context("sched_setaffinity")
}

/// Raises the limit of open files, for this program and for what it starts.
/// Gives back how many it can have then.
pub fn raise_file_limit(wanted: u64) -> Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).context("getrlimit")?;
    if soft >= wanted {
        return Ok(soft);
    }
    // Above the hard limit only with privilege: then the kernel says no.
    if hard < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, wanted).is_ok() {
        return Ok(wanted);
    }
    let most = wanted.min(hard);
    setrlimit(Resource::RLIMIT_NOFILE, most, hard).context("setrlimit")?;
    Ok(most)
}
