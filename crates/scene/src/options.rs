use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// What a person asks of a lesson's program: how to show its scene, or one of its
/// sides. At wrong usage the program ends with status 2.
pub fn asked<Side: Subcommand>() -> (Options, Option<Side>) {
    let Asked { scene, side } = Asked::parse();
    (scene, side)
}

// A docstring would be the help's first line, which is that of `Side`.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Asked<Side: Subcommand> {
    #[command(flatten)]
    scene: Options,
    #[command(subcommand)]
    side: Option<Side>,
}

/// How a scene is shown: the flags that all lessons share.
#[derive(Args, Clone, Debug, Default)]
pub struct Options {
    /// Wait for Enter at each step
    #[arg(long)]
    pub step: bool,

    /// How long to pause at each step [default: normal; fast where input or output is no terminal]
    #[arg(long, value_enum)]
    pub speed: Option<Speed>,

    /// No colour, and ASCII only in the drawing
    #[arg(long)]
    pub plain: bool,

    /// Show calls, packets and TCP states, where the machine allows it; --wire always does
    #[arg(long, value_enum, default_value_t)]
    pub xray: Xray,

    /// Play on two hosts, with a cable between them that may lose packets
    #[arg(long)]
    pub wire: bool,
}

/// Whether a scene is played under the X-ray.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Xray {
    /// What the programs say and what they do
    #[default]
    On,
    /// What the programs say
    Off,
}

/// How long a scene pauses at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Speed {
    /// 2 seconds
    Slow,
    /// 0.6 seconds
    Normal,
    /// No pause
    Fast,
}

impl Speed {
    pub(crate) fn pause(self) -> Duration {
        match self {
            Speed::Slow => Duration::from_millis(2000),
            Speed::Normal => Duration::from_millis(600),
            Speed::Fast => Duration::ZERO,
        }
    }
}
