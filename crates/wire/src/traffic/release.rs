//! Frames that are held, until somebody decides about them.

use std::time::Duration;

use timeline::cable::{Fate, Later};

use super::{BY_HAND, ETHERNET, Report, Traffic, flipped};
use crate::hand::Verdict;

impl Traffic {
    /// Somebody decides about a frame that is held. Whether there was one.
    pub(crate) fn release(
        &mut self,
        frame: u64,
        what: Verdict,
        now: Duration,
        report: &mut dyn FnMut(Report),
    ) -> bool {
        let Some(mut entry) = self.held.remove(&frame) else {
            return false;
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
            Verdict::Hold => drop(self.held.insert(frame, entry)),
            Verdict::Drop | Verdict::Cut(_) => {
                tell(Fate::Dropped);
                direction.gives_back(entry.bytes.len());
                let counts = &mut self.counts[from.index()];
                counts.waiting -= 1;
                counts.dropped += 1;
                if let Verdict::Cut(lasts) = what {
                    self.cut = Some((BY_HAND.to_string(), lasts.map(|lasts| now + lasts)));
                }
            }
            Verdict::Delay(time) | Verdict::Stop(time) => {
                tell(Fate::Delayed);
                if matches!(what, Verdict::Stop(_)) {
                    direction.stop_until(now + time);
                }
                direction.add(entry, now + time);
            }
            Verdict::Swap => {
                tell(Fate::Swapped);
                direction.park(entry);
            }
            Verdict::Pass | Verdict::Double | Verdict::Corrupt(_) => {
                entry.by = Some(BY_HAND.to_string());
                if what == Verdict::Double {
                    entry.copies = 2;
                    entry.fate = Fate::Doubled;
                }
                if let Verdict::Corrupt(bit) = what {
                    let bit = bit % ((entry.bytes.len() - ETHERNET) as u32 * 8);
                    entry.bytes = flipped(&entry.bytes, bit);
                    entry.fate = Fate::Corrupted { bit };
                }
                direction.add(entry, now);
            }
        }
        true
    }

    /// All frames that are held.
    pub(crate) fn held(&self) -> Vec<u64> {
        self.held.keys().copied().collect()
    }
}
