//! A value that can be replaced while everything runs, because the configuration was read again.

use std::sync::{Arc, PoisonError, RwLock};

/// A shared value that can be replaced. Whoever works with it takes it once and keeps that, so that nobody sees two in one
/// piece of work.
#[derive(Debug)]
pub struct Live<T>(Arc<RwLock<Arc<T>>>);

impl<T> Live<T> {
    /// A value, for now.
    pub fn new(value: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(value))))
    }

    /// The value as it is now.
    pub fn now(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// From now on everybody who asks gets this.
    pub fn replace(&self, value: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(value);
    }
}

impl<T> Clone for Live<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Default> Default for Live<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_share_it_get_the_new_one_and_work_in_hand_keeps_the_old() {
        let live = Live::new(1);
        let (shared, in_hand) = (live.clone(), live.now());
        live.replace(2);
        assert_eq!((*in_hand, *shared.now(), *live.now()), (1, 2, 2));
    }
}
