//! How far a sweep is, on stderr: a bar for whoever looks on, and one line at the end for everybody.

use std::time::Duration;
use std::{fmt, fs};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::cli::output;
use crate::search::sweep::Partial;

/// Watches a sweep.
pub(super) struct Progress {
    bar: ProgressBar,
    watch: output::Stopwatch,
    /// Plans that were done before this process began.
    before: u64,
    contenders: u64,
    /// What all plans took, on how many threads.
    tried: (Duration, usize),
}

impl Progress {
    /// Of an account in the making: until all its seeds are tried, or for some time.
    pub(super) fn start(account: &Partial, limit: Option<Duration>) -> Self {
        let (bar, template) = match limit {
            None => {
                let template = "{bar:30} {pos}/{len} plans, {rate}, {msg}, {eta} left";
                let left = account.left();
                (ProgressBar::new(account.plans() + left.end - left.start), template.to_owned())
            }
            Some(limit) => {
                let limit = humantime::format_duration(limit);
                let template = "{spinner} {pos} plans, {rate}, {msg}, {elapsed} of";
                (ProgressBar::new_spinner(), format!("{template} {limit}"))
            }
        };
        let style = ProgressStyle::with_template(&template).expect("a template that was tested");
        let rate = |state: &ProgressState, out: &mut dyn fmt::Write| {
            let _ = write!(out, "{:.0} plans/s", state.per_sec());
        };
        bar.set_style(style.with_key("rate", rate));
        bar.set_message(found(account));
        // Before the clock of the bar starts: what was done then is no speed.
        bar.set_position(account.plans());
        bar.reset_eta();
        Self {
            bar,
            watch: output::Stopwatch::start(),
            before: account.plans(),
            contenders: account.subject.contenders.len() as u64,
            tried: (Duration::ZERO, 1),
        }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.watch.elapsed()
    }

    pub(super) fn show(&self, account: &Partial) {
        self.bar.set_position(account.plans());
        if !self.bar.is_hidden() {
            self.bar.set_message(found(account));
        }
    }

    /// All plans are done. What comes now takes its time too, and nobody knows how much.
    pub(super) fn stop(&mut self, account: &Partial, threads: usize) {
        self.tried = (self.elapsed(), threads);
        self.bar.finish_and_clear();
        if !self.bar.is_hidden() && account.failures() > 0 {
            output::talk(format_args!("making the plans of failures smaller"));
        }
    }

    /// `10,000 plans, 60,000 runs in 79 s: 127 plans/s on 2 threads`, and what else was done.
    pub(super) fn end(&self, plans: u64, shrunk: usize) {
        let plans = plans - self.before;
        let runs = grouped(plans * self.contenders);
        let (tried, threads) = self.tried;
        let per_second = plans as f64 / tried.as_secs_f64().max(0.001);
        let s = if threads == 1 { "" } else { "s" };
        let shrinking = match shrunk {
            0 => String::new(),
            1 => format!(", 1 failure shrunk in {}", told(self.elapsed() - tried)),
            shrunk => format!(", {shrunk} failures shrunk in {}", told(self.elapsed() - tried)),
        };
        let memory = peak_mb().map_or(String::new(), |peak| format!(", {peak} MB at most"));
        output::talk(format_args!(
            "{} plans, {runs} runs in {}: {per_second:.0} plans/s on {threads} thread{s}{shrinking}{memory}",
            grouped(plans),
            told(tried),
        ));
    }
}

/// `failures: 12, broken runs: 345`.
fn found(account: &Partial) -> String {
    format!("failures: {}, broken runs: {}", account.failures(), account.broken())
}

/// `79 s`, `1.4 s`.
fn told(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let digits = if seconds < 10.0 { 1 } else { 0 };
    format!("{seconds:.digits$} s")
}

/// `10,000`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The most memory that this process has ever had at once, in megabytes; where the system tells it.
fn peak_mb() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kb: u64 = peak.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kb * 1024 / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        let numbers = [0, 7, 999, 1000, 10_000, 123_456, 1_234_567];
        let texts = ["0", "7", "999", "1,000", "10,000", "123,456", "1,234,567"];
        assert_eq!(numbers.map(grouped), texts);
    }
}
