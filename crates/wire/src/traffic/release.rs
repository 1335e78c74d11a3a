//! Frames that are held, until somebody decides about them.

use std::time::Duration;

use timeline::cable::{Fate, Later};

use super::{BY_HAND, ETHERNET, Report, Traffic, flipped};
use crate::hand::Action;

impl Traffic {
    /// Somebody decides about a frame, if it is held.
    pub(crate) fn release(
        &mut self,
        frame: u64,
        what: Action,
        now: Duration,
        report: &mut dyn FnMut(Report),
    ) {
        let Some(mut entry) = self.held.remove(&frame) else {
            return;
        };
        let from = entry.from;
        let direction = &mut self.directions[from.index()];
        let mut tell = |fate: Fate| {
            let later = Later {
                frame,
                fate,
                by: Some(BY_HAND.to_string()),
                after: now.saturating_sub(entry.came),
            };
            report(Report::Later {
                at: now,
                from,
                later,
            });
        };
        match what {
            Action::Hold => drop(self.held.insert(frame, entry)),
            Action::Drop | Action::Cut(_) => {
                tell(Fate::Dropped);
                direction.gives_back(entry.bytes.len());
                let counts = &mut self.counts[from.index()];
                counts.waiting -= 1;
                counts.dropped += 1;
                if let Action::Cut(lasts) = what {
                    self.cut = Some((BY_HAND.to_string(), lasts.map(|lasts| now + lasts)));
                }
            }
            Action::Delay(time) | Action::Stop(time) => {
                tell(Fate::Delayed);
                if matches!(what, Action::Stop(_)) {
                    direction.stop_until(now + time);
                }
                direction.add(entry, now + time);
            }
            Action::Swap => {
                tell(Fate::Swapped);
                direction.park(entry);
            }
            Action::Pass | Action::Double | Action::Corrupt(_) => {
                entry.by = Some(BY_HAND.to_string());
                if what == Action::Double {
                    entry.copies = 2;
                    entry.fate = Fate::Doubled;
                }
                if let Action::Corrupt(bit) = what {
                    let bit = bit % ((entry.bytes.len() - ETHERNET) as u32 * 8);
                    entry.bytes = flipped(&entry.bytes, bit);
                    entry.fate = Fate::Corrupted { bit };
                }
                direction.add(entry, now);
            }
        }
    }

    /// All frames that are held.
    pub(crate) fn held(&self) -> Vec<u64> {
        self.held.keys().copied().collect()
    }
}
