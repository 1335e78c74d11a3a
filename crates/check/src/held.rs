//! Sockets that we hold while a check runs. A program notices when one is closed,
//! and then says things that have nothing to do with the verdict.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::fmt::Debug;
use std::net::TcpStream;
use std::ops::Deref;
use std::rc::Rc;
use std::time::Duration;

use socket2::SockRef;

/// Something that is closed later than it is dropped: with the next thing that
/// the check does. When the check does nothing more, because it has come to its
/// verdict, it stays open until the programs have been ended. So nothing that a
/// program says is about our leaving, unless the story says that we left.
#[derive(Debug)]
pub(crate) struct Held<T: 'static> {
    // Taken out by `close` and by `drop` only.
    thing: Option<T>,
    dropped: Dropped,
}

impl<T> Held<T> {
    pub(crate) fn new(thing: T, dropped: &Dropped) -> Self {
        Self {
            thing: Some(thing),
            dropped: dropped.clone(),
        }
    }

    /// Closes it now.
    pub(crate) fn close(mut self) {
        self.thing = None;
    }
}

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until it is closed")
    }
}

impl<T> Drop for Held<T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            self.dropped.put(Box::new(thing));
        }
    }
}

/// What was dropped and is still open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dropped {
    things: Rc<RefCell<Vec<Box<dyn Any>>>>,
    /// Whether there is a verdict.
    over: Rc<Cell<bool>>,
}

impl Dropped {
    fn put(&self, thing: Box<dyn Any>) {
        self.things.borrow_mut().push(thing);
    }

    /// The check goes on: what it dropped is closed.
    pub(crate) fn close(&self) {
        if !self.over.get() {
            self.things.borrow_mut().clear();
        }
    }

    /// There is a verdict: from now on everything stays open.
    pub(crate) fn keep(&self) {
        self.over.set(true);
    }

    /// The programs have been ended. Connections are reset: so none is left in
    /// TIME-WAIT, which would keep its port from the next check where all share
    /// the network of the machine.
    pub(crate) fn reset(&self) {
        for thing in self.things.borrow_mut().drain(..) {
            if let Some(stream) = thing.downcast_ref::<Rc<TcpStream>>() {
                // Without it, the connection ends in the usual way.
                let _ = SockRef::from(&**stream).set_linger(Some(Duration::ZERO));
            }
        }
    }
}
