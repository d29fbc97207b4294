//! One value per host, found by index.
//!
//! Every checker keeps a little state per process and looks at every event of every run; a map
//! would cost more than all the rest of it.

use picklock_sim::host::HostName;

/// One value per host; those never asked for have the default.
pub(super) struct PerHost<T> {
    values: Vec<T>,
}

impl<T: Default> PerHost<T> {
    /// All at the default.
    pub(super) fn new() -> Self {
        Self { values: Vec::new() }
    }

    /// The value of `host`.
    pub(super) fn of(&mut self, host: HostName) -> &mut T {
        let place = host.place();
        if place >= self.values.len() {
            self.values.resize_with(place + 1, T::default);
        }
        &mut self.values[place]
    }

    /// The values of all hosts up to the last that was asked for.
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut T> {
        self.values.iter_mut()
    }
}
