//! One value per host, found by index.
//!
//! Every checker keeps a little state per process and looks at every event of every run; a map
//! would cost more than all the rest of it.

use picklock_sim::host::HostName;

/// One value per host; those never asked for have the default.
pub(super) struct PerHost<T> {
    by_role: Vec<Vec<T>>,
}

impl<T: Default> PerHost<T> {
    /// All at the default.
    pub(super) fn new() -> Self {
        Self { by_role: Vec::new() }
    }

    /// The value of `host`.
    pub(super) fn of(&mut self, host: HostName) -> &mut T {
        let (role, number) = (host.role as usize, usize::from(host.number));
        if self.by_role.len() <= role {
            self.by_role.resize_with(role + 1, Vec::new);
        }
        let hosts = &mut self.by_role[role];
        if hosts.len() <= number {
            hosts.resize_with(number + 1, T::default);
        }
        &mut hosts[number]
    }
}
