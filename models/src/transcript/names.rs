//! Names for numbers that differ from run to run: the first one that appears is number 1.

/// What has a name so far.
#[derive(Clone, Debug)]
pub(super) struct Names<T> {
    prefix: &'static str,
    known: Vec<T>,
}

impl<T: PartialEq> Names<T> {
    /// None yet; all will begin with `prefix`.
    pub(super) fn new(prefix: &'static str) -> Self {
        Self { prefix, known: Vec::new() }
    }

    /// The name of it; a new one, if it has none.
    pub(super) fn name(&mut self, of: T) -> String {
        let known = self.known.iter().position(|known| *known == of);
        let at = known.unwrap_or_else(|| {
            self.known.push(of);
            self.known.len() - 1
        });
        self.nth(at)
    }

    fn nth(&self, at: usize) -> String {
        format!("{}{}", self.prefix, at + 1)
    }

    /// Whose name this is.
    pub(super) fn find(&self, name: &str) -> Option<&T> {
        let at: usize = name.strip_prefix(self.prefix)?.parse().ok()?;
        self.known.get(at.checked_sub(1)?)
    }
}
