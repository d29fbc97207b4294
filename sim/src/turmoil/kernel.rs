//! The listening half of a host's kernel, which turmoil leaves to the program.
//!
//! In turmoil a connection stands only when the program accepts it, so a paused server would look
//! dead to those who connect. Here a task of its own, which no pause stops, accepts into a backlog.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::task::{Poll, Waker};

use ::turmoil::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

/// As in the event engine.
const BACKLOG: usize = 128;

/// A listening socket of the turmoil engine.
pub struct TurmoilListener {
    backlog: Rc<RefCell<Backlog>>,
    kernel: AbortHandle,
}

#[derive(Default)]
struct Backlog {
    waiting: VecDeque<io::Result<(TcpStream, SocketAddr)>>,
    /// The program, which waits for a connection.
    program: Option<Waker>,
    /// The kernel, which waits for room.
    kernel: Option<Waker>,
}

impl TurmoilListener {
    #[expect(clippy::disallowed_methods, reason = "a kernel runs on while its programs are paused")]
    pub(super) async fn bind(port: u16) -> io::Result<Self> {
        let socket = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await?;
        let backlog = Rc::default();
        let kernel = tokio::task::spawn_local(accept_for_ever(socket, Rc::clone(&backlog)));
        Ok(Self { backlog, kernel: kernel.abort_handle() })
    }

    pub(super) async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        poll_fn(|cx| {
            let mut backlog = self.backlog.borrow_mut();
            match backlog.waiting.pop_front() {
                Some(accepted) => {
                    if let Some(kernel) = backlog.kernel.take() {
                        kernel.wake();
                    }
                    Poll::Ready(accepted)
                }
                None => {
                    backlog.program = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for TurmoilListener {
    fn drop(&mut self) {
        self.kernel.abort();
    }
}

async fn accept_for_ever(socket: TcpListener, backlog: Rc<RefCell<Backlog>>) {
    loop {
        poll_fn(|cx| {
            let mut backlog = backlog.borrow_mut();
            if backlog.waiting.len() < BACKLOG {
                return Poll::Ready(());
            }
            backlog.kernel = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
        let accepted = socket.accept().await;
        let program = {
            let mut backlog = backlog.borrow_mut();
            backlog.waiting.push_back(accepted);
            backlog.program.take()
        };
        if let Some(program) = program {
            program.wake();
        }
    }
}
