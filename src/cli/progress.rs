//! The progress bar on standard error.
//!
//! Watches two numbers that the scan counts up; the scan knows nothing of it.

use std::{
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::scan::Progress;

const TICK: Duration = Duration::from_millis(100);

/// A bar that is drawn until it is dropped, and then leaves no trace.
pub(super) struct Bar {
    stop: Option<Sender<()>>,
    painter: Option<JoinHandle<()>>,
}

impl Bar {
    /// Draws what `progress` counts. Without a thread to draw it there is no bar, which harms nothing.
    pub(super) fn watch(progress: Arc<Progress>) -> Self {
        let (stop, stopped) = mpsc::channel();
        let painter = thread::Builder::new().name("progress".into()).spawn(move || {
            let bar = ProgressBar::new_spinner();
            // The first tick comes late on purpose: a scan that is done by then draws nothing at all.
            while stopped.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                draw(&bar, progress.done.load(Ordering::Relaxed), progress.total.load(Ordering::Relaxed));
            }
            bar.finish_and_clear();
        });
        Self { stop: Some(stop), painter: painter.ok() }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(painter) = self.painter.take() {
            // A painter that failed has nothing to say about the scan.
            let _ = painter.join();
        }
    }
}

fn draw(bar: &ProgressBar, done: u64, total: u64) {
    if total > 0 && bar.length() != Some(total) {
        bar.set_length(total);
        bar.set_style(style("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"));
    } else if total == 0 && done == 0 {
        bar.set_style(style("{spinner} {elapsed}"));
    } else if total == 0 {
        bar.set_style(style("{spinner} {bytes}, {bytes_per_sec}"));
    }
    bar.set_position(done);
    bar.tick();
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_with_the_scan() {
        let progress = Arc::new(Progress::default());
        let bar = Bar::watch(Arc::clone(&progress));
        progress.done.fetch_add(5, Ordering::Relaxed);
        progress.total.store(10, Ordering::Relaxed);
        thread::sleep(3 * TICK);
        drop(bar);
        assert_eq!(Arc::strong_count(&progress), 1, "the painter is gone");
    }

    #[test]
    fn every_template_is_one() {
        for template in [
            "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            "{spinner} {elapsed}",
            "{spinner} {bytes}",
        ] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
