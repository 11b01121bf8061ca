//! A pool of buffers by their exact size: after the first recording of some shapes, a tape allocates nothing.

/// Unused buffers.
#[derive(Debug, Default)]
pub(crate) struct Pool<F> {
    classes: Vec<Class<F>>,
}

#[derive(Debug)]
struct Class<F> {
    size: usize,
    /// How many have been made.
    made: usize,
    free: Vec<Vec<F>>,
}

impl<F: Copy + Default> Pool<F> {
    /// A buffer of `size` numbers with unspecified content.
    pub fn take(&mut self, size: usize) -> Vec<F> {
        let class = self.class(size);
        class.free.pop().unwrap_or_else(|| {
            class.made += 1;
            // Capacity for all buffers, so that returning one never allocates.
            class.free.reserve(class.made);
            vec![F::default(); size]
        })
    }

    /// Takes a buffer back; empty ones are forgotten.
    pub fn give(&mut self, buffer: Vec<F>) {
        if !buffer.is_empty() {
            self.class(buffer.len()).free.push(buffer);
        }
    }

    fn class(&mut self, size: usize) -> &mut Class<F> {
        let place = self.classes.binary_search_by_key(&size, |class| class.size).unwrap_or_else(|place| {
            self.classes.insert(place, Class { size, made: 0, free: Vec::new() });
            place
        });
        &mut self.classes[place]
    }
}

#[cfg(test)]
mod tests {
    use super::Pool;

    #[test]
    fn returns_buffers_by_size() {
        let mut pool = Pool::<f32>::default();
        let (one, two) = (pool.take(3), pool.take(5));
        let (at_one, at_two) = (one.as_ptr(), two.as_ptr());
        pool.give(one);
        pool.give(two);
        pool.give(Vec::new());
        let (two, one) = (pool.take(5), pool.take(3));
        assert_eq!((one.as_ptr(), one.len()), (at_one, 3));
        assert_eq!((two.as_ptr(), two.len()), (at_two, 5));
        let another = pool.take(3);
        assert_ne!(another.as_ptr(), at_one);
    }
}
