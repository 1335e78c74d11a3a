//! When the cable is cut, and by whom.

use std::time::Duration;

use super::{BY_HAND, Report, Traffic};

impl Traffic {
    /// Who has cut the cable at this time, if it is cut.
    pub(super) fn cut_by(&self, at: Duration) -> Option<String> {
        let open = |until: &Option<Duration>| until.is_none_or(|until| at < until);
        if let Some((by, until)) = &self.cut
            && open(until)
        {
            return Some(by.clone());
        }
        let began = self.began?;
        let cuts = self.settings.cuts.iter();
        let now = cuts.filter(|cut| began + cut.after <= at);
        let mut now = now.filter(|cut| open(&cut.lasts.map(|lasts| began + cut.after + lasts)));
        now.next().map(ToString::to_string)
    }

    /// Cuts or mends the cable by hand.
    pub(crate) fn cut(&mut self, cut: bool) {
        self.cut = cut.then(|| (BY_HAND.to_string(), None));
        if !cut {
            self.settings.cuts.clear();
        }
    }

    /// Tells when it was cut or mended since this was last told.
    pub(crate) fn tell_cuts(&mut self, at: Duration, report: &mut dyn FnMut(Report)) {
        let by = self.cut_by(at);
        self.told = self.told.max(at);
        if by.is_some() == self.was_cut {
            return;
        }
        self.was_cut = by.is_some();
        let what = match by {
            Some(by) => format!("the cable is cut, by \"{by}\""),
            None => "the cable is mended".to_string(),
        };
        report(Report::Cable { at, what });
    }
}
