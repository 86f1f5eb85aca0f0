//! Lays the steps of a stage along the end of a history.

use super::{entry::Entry, expect::Step};
use crate::dockerfile::Keyword;

/// What came of it.
#[derive(Clone, Debug)]
pub(super) enum Outcome {
    Fits(Alignment),
    /// The last pair that does not agree; `entry` is missing if the history ends before.
    Differs {
        entry: Option<usize>,
        step: usize,
    },
}

/// The steps of the entries from `start` to `end`.
#[derive(Clone, Debug)]
pub(super) struct Alignment {
    pub(super) start: usize,
    /// Entries from here on are those of a builder's options.
    pub(super) end: usize,
    /// For each entry, each step that it can be.
    pub(super) steps: Vec<Vec<usize>>,
}

/// Aligns all steps with the last entries: each step has its entry unless builders may leave it out. Of all ways, those
/// count that explain most entries.
pub(super) fn align(entries: &[Entry<'_>], steps: &[Step<'_>]) -> Outcome {
    let mut end = entries.len();
    // Docker's `--squash` appends an entry of its own, and the classic builder one for `--label`.
    if entries.last().is_some_and(|last| last.is_merge) {
        end -= 1;
    }
    if let Some(alignment) = align_to(entries, steps, end) {
        return Outcome::Fits(alignment);
    }
    let last = end.checked_sub(1).and_then(|last| entries.get(last));
    let has_label = last.is_some_and(|last| last.keyword == Some(Keyword::Label));
    if let Some(alignment) = end.checked_sub(1).filter(|_| has_label).and_then(|end| align_to(entries, steps, end)) {
        return Outcome::Fits(alignment);
    }
    let mut entry = end;
    for (number, step) in steps.iter().enumerate().rev() {
        let above = entry.checked_sub(1);
        if above.and_then(|above| entries.get(above)).is_some_and(|entry| step.agrees(entry)) {
            entry -= 1;
        } else if !step.may_be_left_out {
            return Outcome::Differs { entry: above, step: number };
        }
    }
    Outcome::Differs { entry: entry.checked_sub(1), step: 0 }
}

fn align_to(entries: &[Entry<'_>], steps: &[Step<'_>], end: usize) -> Option<Alignment> {
    let (rows, columns) = (end + 1, steps.len() + 1);
    // Whether the entries from a row on are the steps from a column on.
    let mut fits = vec![false; rows.checked_mul(columns)?];
    let at = |entry: usize, step: usize| entry * columns + step;
    for step in (0..columns).rev() {
        for entry in (0..rows).rev() {
            let fit = match steps.get(step) {
                None => entry == end,
                Some(this) => {
                    let left_out = this.may_be_left_out && fits.get(at(entry, step + 1)) == Some(&true);
                    left_out || pairs(entries, steps, &fits, columns, entry, step, end)
                }
            };
            if let Some(cell) = fits.get_mut(at(entry, step)) {
                *cell = fit;
            }
        }
    }
    let start = (0..rows).find(|&entry| fits.get(at(entry, 0)) == Some(&true))?;
    let mut found = vec![Vec::new(); end - start];
    // Columns that can be reached in a row.
    let mut reached = vec![false; columns];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for entry in start..end {
        let mut next = vec![false; columns];
        for step in 0..steps.len() {
            if reached.get(step) != Some(&true) {
                continue;
            }
            let left_out = steps.get(step).is_some_and(|step| step.may_be_left_out);
            if left_out && fits.get(at(entry, step + 1)) == Some(&true) {
                reached.get_mut(step + 1).into_iter().for_each(|cell| *cell = true);
            }
            if pairs(entries, steps, &fits, columns, entry, step, end) {
                next.get_mut(step + 1).into_iter().for_each(|cell| *cell = true);
                found.get_mut(entry - start).into_iter().for_each(|steps: &mut Vec<usize>| steps.push(step));
            }
        }
        reached = next;
    }
    Some(Alignment { start, end, steps: found })
}

/// Whether an entry is a step, and what follows the one is what follows the other.
fn pairs(
    entries: &[Entry<'_>],
    steps: &[Step<'_>],
    fits: &[bool],
    columns: usize,
    entry: usize,
    step: usize,
    end: usize,
) -> bool {
    if entry >= end || fits.get((entry + 1) * columns + step + 1) != Some(&true) {
        return false;
    }
    matches!((entries.get(entry), steps.get(step)), (Some(entry), Some(step)) if step.agrees(entry))
}
