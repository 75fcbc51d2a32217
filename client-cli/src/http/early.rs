//! Answers that come before all was sent. A server that refuses a long body in its middle answers and closes; what is sent
//! from then on fails, and the answer would be lost behind that failure. So the sender drops what it still has
//! to send, and reads the answer.

use std::io::ErrorKind;

use ureq::{
    Error,
    unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport},
};

/// Wraps the connections that another connector makes.
#[derive(Debug, Default)]
pub(crate) struct EarlyAnswers;

/// A connection that can still be read when the other end takes no more.
#[derive(Debug)]
pub(crate) struct EarlyAnswer<T> {
    connection: T,
    takes_no_more: bool,
}

impl<T: Transport> Connector<T> for EarlyAnswers {
    type Out = EarlyAnswer<T>;

    fn connect(&self, _: &ConnectionDetails<'_>, made: Option<T>) -> Result<Option<Self::Out>, Error> {
        Ok(made.map(|connection| EarlyAnswer { connection, takes_no_more: false }))
    }
}

impl<T: Transport> Transport for EarlyAnswer<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.connection.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.takes_no_more {
            return Ok(());
        }
        match self.connection.transmit_output(amount, timeout) {
            Err(Error::Io(error)) if matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset) => {
                self.takes_no_more = true;
                Ok(())
            }
            sent => sent,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.connection.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        !self.takes_no_more && self.connection.is_open()
    }
}
