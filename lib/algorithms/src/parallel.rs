//! Work on several threads: the only place of this crate that calls rayon.
//!
//! rayon compiles its plumbing anew for every chain of iterators and every closure; over a hundred of them were a third of
//! this crate's code. Here threads take items from a plain iterator, one at a time and in its order, and what rayon sees
//! is always the same `dyn Fn()`.
//!
//! Which thread works on an item is left to chance, what comes out is not: results are in the order of the items, and of
//! several errors the first one counts. An item should be worth a microsecond or more, as taking it costs a lock: chunks of
//! rows rather than rows.

use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most rows that [`map_rows`] takes at a time.
const ROWS: usize = 1024;

/// How many threads there are to work with.
pub(crate) fn threads() -> usize {
    rayon::current_num_threads()
}

/// Calls `f` with every item.
pub(crate) fn for_each<I: IntoIterator<IntoIter: Send>>(items: I, f: impl Fn(I::Item) + Sync) {
    let mut items = items.into_iter();
    let most = items.size_hint().1;
    take_all(most, &mut || items.next(), &f);
}

/// What `f` makes of each item.
pub(crate) fn map<I, T>(items: I, f: impl Fn(I::Item) -> T + Sync) -> Vec<T>
where
    I: IntoIterator<IntoIter: Send>,
    T: Send,
{
    let mut items = items.into_iter();
    let most = items.size_hint().1;
    let Ok(results) = collect(most, &mut || items.next(), &|item| Ok::<_, std::convert::Infallible>(f(item)));
    results
}

/// What `f` makes of each item, or the error of the first item that has one; no item is begun after an error.
pub(crate) fn try_map<I, T, E>(items: I, f: impl Fn(I::Item) -> Result<T, E> + Sync) -> Result<Vec<T>, E>
where
    I: IntoIterator<IntoIter: Send>,
    T: Send,
    E: Send,
{
    let mut items = items.into_iter();
    let most = items.size_hint().1;
    collect(most, &mut || items.next(), &f)
}

/// All that `f` makes of the items, one after the other.
pub(crate) fn flat_map<I, T>(items: I, f: impl Fn(I::Item) -> Vec<T> + Sync) -> Vec<T>
where
    I: IntoIterator<IntoIter: Send>,
    T: Send,
{
    let parts = map(items, f);
    let mut all = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for mut part in parts {
        all.append(&mut part);
    }
    all
}

/// What `f` makes of each number below `count`; for work of less than a microsecond.
pub(crate) fn map_rows<T: Send>(count: usize, f: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let size = (count / (8 * threads())).clamp(16, ROWS);
    flat_map((0..count).step_by(size), |first| (first..count.min(first + size)).map(&f).collect())
}

/// The parts of `0..count` of that size, the last one shorter.
pub(crate) fn ranges(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> + Send {
    (0..count).step_by(size.max(1)).map(move |first| first..count.min(first + size.max(1)))
}

/// The results of both.
pub(crate) fn join<A: Send, B: Send>(a: impl Fn() -> A + Sync, b: impl Fn() -> B + Sync) -> (A, B) {
    let (mut first, mut second) = (None, None);
    both(&mut || first = Some(a()), &mut || second = Some(b()));
    (first.unwrap_or_else(a), second.unwrap_or_else(b))
}

/// The result of `f`, called by one of the threads: from outside, every step would wake them anew.
pub(crate) fn inside<T: Send>(f: impl Fn() -> T + Sync) -> T {
    join(f, || ()).0
}

/// The result of `f`, with no more threads than `most`.
pub(crate) fn limited<T: Send>(most: Option<usize>, f: impl Fn() -> T + Sync) -> T {
    let fewer = most.filter(|&most| most < threads());
    match fewer.and_then(|most| rayon::ThreadPoolBuilder::new().num_threads(most).build().ok()) {
        Some(pool) => {
            let mut result = None;
            let work: &mut (dyn FnMut() + Send) = &mut || result = Some(f());
            pool.install(work);
            result.unwrap_or_else(f)
        }
        None => inside(f),
    }
}

/// Room to work in, of which there is never more than one for each thread at work.
pub(crate) struct Scratch<S, N> {
    spare: Mutex<Vec<S>>,
    new: N,
}

impl<S, N: Fn() -> S> Scratch<S, N> {
    pub(crate) const fn new(new: N) -> Self {
        Self { spare: Mutex::new(Vec::new()), new }
    }

    /// Lends the room, which holds what the last one left there.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut S) -> R) -> R {
        let spare = lock(&self.spare).pop();
        let mut room = spare.unwrap_or_else(&self.new);
        let result = f(&mut room);
        lock(&self.spare).push(room);
        result
    }
}

/// Where items come from; called by one thread at a time.
type Next<'a, J> = &'a mut (dyn FnMut() -> Option<J> + Send);

fn take_all<J>(most: Option<usize>, next: Next<'_, J>, f: &(dyn Fn(J) + Sync)) {
    let next = Mutex::new(next);
    on_threads(most, &|| {
        loop {
            let item = lock(&next)();
            let Some(item) = item else { return };
            f(item);
        }
    });
}

struct Collected<'a, J, T, E> {
    next: Next<'a, J>,
    results: Vec<Option<T>>,
    failed: Option<(usize, E)>,
}

fn collect<J, T: Send, E: Send>(
    most: Option<usize>,
    next: Next<'_, J>,
    f: &(dyn Fn(J) -> Result<T, E> + Sync),
) -> Result<Vec<T>, E> {
    let state = Mutex::new(Collected { next, results: Vec::with_capacity(most.unwrap_or(0)), failed: None });
    on_threads(most, &|| {
        let mut done = None;
        loop {
            let mut state = lock(&state);
            match done.take() {
                Some((place, Ok(result))) => state.results[place] = Some(result),
                // Items are taken in order, so that all before this one have been begun: no earlier error is missed.
                Some((place, Err(error))) if state.failed.as_ref().is_none_or(|(first, _)| place < *first) => {
                    state.failed = Some((place, error));
                }
                _ => {}
            }
            if state.failed.is_some() {
                return;
            }
            let Some(item) = (state.next)() else { return };
            let place = state.results.len();
            state.results.push(None);
            drop(state);
            done = Some((place, f(item)));
        }
    });
    let Collected { results, failed, .. } = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, error)) = failed {
        return Err(error);
    }
    let mut all = Vec::with_capacity(results.len());
    for result in results {
        all.extend(result);
    }
    Ok(all)
}

/// Calls `work` on all threads, or on `most` of them; it returns when nothing is left to take.
fn on_threads(most: Option<usize>, work: &(dyn Fn() + Sync)) {
    fn spread(count: usize, work: &(dyn Fn() + Sync)) {
        match count {
            0 | 1 => work(),
            _ => both(&mut || spread(count / 2, work), &mut || spread(count - count / 2, work)),
        }
    }
    spread(most.map_or_else(threads, |most| most.min(threads())), work);
}

fn both(a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
    rayon::join(a, b);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn results_are_in_order_on_any_number_of_threads() {
        for most in [1, 2, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(most).build().unwrap();
            pool.install(|| {
                for count in [0, 1, 2, 100, 3000] {
                    let expected = (0..count).map(|i| i * i).collect::<Vec<_>>();
                    assert_eq!(map(0..count, |i| i * i), expected);
                    assert_eq!(map_rows(count, |i| i * i), expected);
                    assert_eq!(flat_map(ranges(count, 7), |range| range.map(|i| i * i).collect()), expected);
                    let mut filled = vec![0; count];
                    for_each(filled.chunks_mut(3).enumerate(), |(chunk, part)| {
                        part.iter_mut().enumerate().for_each(|(at, value)| *value = (chunk * 3 + at).pow(2));
                    });
                    assert_eq!(filled, expected);
                }
                let nested = map(0..20, |i| join(|| map(0..i, |j| j).len(), || i));
                assert!(nested.into_iter().enumerate().all(|(i, pair)| pair == (i, i)));
            });
        }
    }

    #[test]
    fn the_first_error_counts_and_ends_the_work() {
        for _ in 0..50 {
            let begun = Mutex::new(HashSet::new());
            let result = try_map(0..10_000, |i| {
                lock(&begun).insert(i);
                if i >= 40 && i % 10 == 0 { Err(i) } else { Ok(i) }
            });
            assert_eq!(result, Err(40));
            assert!(lock(&begun).len() < 10_000);
        }
        assert_eq!(try_map(0..3, Ok::<i32, ()>), Ok(vec![0, 1, 2]));
    }

    #[test]
    fn threads_are_limited_and_room_is_lent_again() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
        let found = pool.install(|| [None, Some(1), Some(2), Some(9)].map(|most| limited(most, threads)));
        assert_eq!(found, [3, 1, 2, 3]);
        let scratch = Scratch::new(|| vec![0]);
        let sizes = limited(Some(1), || {
            map(0..4, |_| {
                scratch.with(|room| {
                    room.push(1);
                    room.len()
                })
            })
        });
        assert!(threads() == 1 || sizes == [2, 3, 4, 5], "{sizes:?}");
    }
}
