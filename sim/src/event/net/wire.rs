//! What happens to packets on their way, and what faults do to connections.
//!
//! The sockets' side of the network is in the module above.

use std::time::Duration;

use picklock_models::model::Crash;

use super::{BACKLOG, Conn, ConnId, Link, Packet, PipeId, Side};
use crate::conditions::{Conditions, HostId};
use crate::event::agenda::Due;
use crate::event::world::Body;
use crate::seed::Seed;
use crate::time::SimTime;
use crate::trail::bytes_in_words;

/// When a dropped SYN is sent again (Linux' initial retransmission timeout, RFC 6298).
const SYN_RETRY: Duration = Duration::from_secs(1);

/// First retransmission timeout of an established connection: Linux' TCP_RTO_MIN.
const FIRST_RTO: Duration = Duration::from_millis(200);

/// Longest retransmission timeout: Linux' TCP_RTO_MAX.
const LAST_RTO: Duration = Duration::from_secs(120);

impl Link {
    #[cold]
    fn new(seed: Seed, conditions: &Conditions, from: HostId, to: HostId) -> Self {
        let (from, to) = (conditions.name(from), conditions.name(to));
        let stream = |what| seed.stream(format_args!("{what} {from} > {to}"));
        Self { latency: stream("link"), loss: stream("loss") }
    }
}

/// What happens on the wire.
impl Body {
    pub(super) fn send(&mut self, pipe: PipeId, packet: Packet) {
        let ends = self.net.ends_of(pipe);
        self.send_between(ends, pipe, packet);
    }

    /// As [`Body::send`], by who knows the ends of the pipe already.
    pub(super) fn send_between(&mut self, ends: (HostId, HostId), pipe: PipeId, packet: Packet) {
        let arrival = self.now() + self.draw_latency(ends);
        self.put_on_wire(pipe, packet, arrival);
    }

    fn put_on_wire(&mut self, id: PipeId, packet: Packet, arrival: SimTime) {
        let pipe = &mut self.net.conn(id.conn).pipes[id.sender as usize];
        let arrival = arrival.max(pipe.last_arrival);
        pipe.last_arrival = arrival;
        pipe.flying.push_back(packet);
        self.agenda.put(arrival, Due::Arrival(id));
    }

    fn draw_latency(&mut self, (from, to): (HostId, HostId)) -> Duration {
        let place = self.conditions.place(from, to);
        let link = match &mut self.net.links[place] {
            Some(link) => link,
            unused => {
                let link = Link::new(self.net.seed, &self.conditions, from, to);
                unused.insert(Box::new(link))
            }
        };
        let (shortest, longest) = self.net.latency_ns;
        let drawn = Duration::from_nanos(link.latency.between(shortest, longest));
        let condition = self.conditions.link(from, to);
        if condition.delay_ms == 0 && condition.loss_percent == 0 {
            return drawn;
        }
        let mut latency = drawn + Duration::from_millis(condition.delay_ms);
        let mut timeout = FIRST_RTO;
        while condition.loss_percent > 0 && link.loss.percent(condition.loss_percent.min(95) as u8)
        {
            latency += timeout;
            timeout = (timeout * 2).min(LAST_RTO);
        }
        latency
    }

    /// The packet at the head of a pipe arrives.
    pub(in crate::event) fn arrive(&mut self, id: PipeId) {
        let (from, to) = self.net.ends_of(id);
        let receiver = self.conditions.host(to);
        let no_machine = receiver.down > 0 && receiver.crash == Some(Crash::PowerLoss);
        let link = self.conditions.link(from, to);
        let (stalled, refused) = (link.stalled > 0, link.refusing > 0);
        let pipe = &mut self.net.conn(id.conn).pipes[id.sender as usize];
        // What is behind a held packet stays behind it.
        if no_machine || stalled || pipe.held > 0 {
            pipe.held += 1;
            return;
        }
        let packet = pipe.flying.pop_front().expect("one packet for each arrival");
        self.witness_arrival(id, (from, to), packet);
        let side = id.sender.other();
        match packet {
            Packet::Data(length) => self.arrive_data(id, length),
            Packet::Syn if refused => self.send(PipeId { sender: side, ..id }, Packet::Rst),
            Packet::Syn => self.arrive_syn(id, to),
            Packet::SynAck => {
                let conn = self.net.conn(id.conn);
                conn.established = true;
                conn.end(side).wake(&mut self.tasks);
            }
            Packet::Fin => {
                let conn = self.net.conn(id.conn);
                conn.pipes[id.sender as usize].ended = true;
                conn.end(side).wake(&mut self.tasks);
            }
            Packet::Rst => self.net.conn(id.conn).reset(side, &mut self.tasks),
        }
        self.net.forget_if_over(id.conn);
    }

    fn arrive_syn(&mut self, id: PipeId, host: HostId) {
        let answer = PipeId { sender: Side::Server, ..id };
        let port = self.net.conn(id.conn).port;
        let listener = self.net.listeners[usize::from(host.0)].get_mut(&port);
        match listener {
            None => self.send(answer, Packet::Rst),
            Some(listener) if listener.backlog.len() >= BACKLOG => {
                let again = self.now() + SYN_RETRY;
                self.put_on_wire(id, Packet::Syn, again);
            }
            Some(listener) => {
                listener.backlog.push_back(id.conn);
                if let Some(acceptor) = listener.acceptor.take() {
                    self.tasks.tell(acceptor);
                }
                self.net.conn(id.conn).end(Side::Server).closed = false;
                self.send(answer, Packet::SynAck);
            }
        }
    }

    fn arrive_data(&mut self, id: PipeId, length: usize) {
        let now = self.now();
        if let Some(tap) = &mut self.tap {
            tap.arrived(&id, now);
        }
        let side = id.sender.other();
        let conn = self.net.conn(id.conn);
        if conn.end(side).closed {
            // Nobody is there any more: the kernel answers with a reset.
            conn.pipes[id.sender as usize].advance(length);
            self.send(PipeId { sender: side, ..id }, Packet::Rst);
            return;
        }
        conn.pipes[id.sender as usize].arrived += length;
        if let Some(reader) = conn.end(side).reader.take() {
            self.tasks.tell(reader);
        }
    }

    fn witness_arrival(&mut self, id: PipeId, (from, to): (HostId, HostId), packet: Packet) {
        let (kind, length) = match packet {
            Packet::Syn => (2, 0),
            Packet::SynAck => (3, 0),
            Packet::Data(length) => (4, length),
            Packet::Fin => (5, 0),
            Packet::Rst => (6, 0),
        };
        self.witness(u64::from(id.conn) << 16 | (id.sender as u64) << 8 | kind);
        let pipe = &self.net.conns[id.conn as usize].pipes[id.sender as usize];
        let start = pipe.read + pipe.arrived;
        let bytes = &pipe.bytes[start..start + length];
        if length > 0 {
            self.log.digest.bytes(bytes);
        }
        let conditions = &self.conditions;
        self.log.leave_trail(self.agenda.now(), || {
            let what = match packet {
                Packet::Data(_) => bytes_in_words(bytes),
                packet => format!("{packet:?}").to_uppercase(),
            };
            format!("{} > {}: {what}", conditions.name(from), conditions.name(to))
        });
    }
}

/// What faults do to the network.
impl Body {
    /// A link flows again: what it held goes on its way once more.
    pub(in crate::event) fn release_held(&mut self, from: HostId, to: HostId) {
        for id in self.net.pipes_between(from, to) {
            self.release_pipe(id);
        }
    }

    fn release_pipe(&mut self, id: PipeId) {
        let held = std::mem::take(&mut self.net.conn(id.conn).pipes[id.sender as usize].held);
        if held == 0 {
            return;
        }
        // One draw for all of them: TCP sends them again in one go.
        let arrival = self.now() + self.draw_latency(self.net.ends_of(id));
        let pipe = &mut self.net.conn(id.conn).pipes[id.sender as usize];
        let arrival = arrival.max(pipe.last_arrival);
        pipe.last_arrival = arrival;
        for _ in 0..held {
            self.agenda.put(arrival, Due::Arrival(id));
        }
    }

    /// A firewall resets every connection between two hosts.
    pub(in crate::event) fn reset_link(&mut self, from: HostId, to: HostId) {
        for id in self.net.pipes_between(from, to) {
            self.net.conn(id.conn).reset(Side::Client, &mut self.tasks);
            self.net.conn(id.conn).reset(Side::Server, &mut self.tasks);
        }
    }

    /// A host dies: killed, its kernel says goodbye for it; without power, nobody says anything.
    pub(in crate::event) fn host_down(&mut self, host: HostId, how: Crash) {
        let ports: Vec<u16> = self.net.listeners[usize::from(host.0)].keys().copied().collect();
        let of_host = |(id, conn): (usize, &Conn)| {
            let side = [Side::Client, Side::Server].into_iter();
            side.filter(|side| conn.ends[*side as usize].host == host)
                .map(|side| (id as ConnId, side))
                .collect::<Vec<_>>()
        };
        let ends: Vec<_> = self.net.conns.iter().flat_map(of_host).collect();
        for (conn, side) in ends {
            match how {
                Crash::ProcessKill => self.close(conn, side, host),
                Crash::PowerLoss => {
                    // One between two programs of this host may be forgotten with its other end.
                    let Some(known) = self.net.conns.get_mut(conn as usize) else { continue };
                    known.end(side).closed = true;
                    self.net.forget_if_over(conn);
                }
            }
        }
        for port in ports {
            self.net.listeners[usize::from(host.0)].remove(&port);
        }
    }

    /// A machine has power again: what was sent to it meanwhile is sent again, and will be answered
    /// with resets.
    pub(in crate::event) fn host_up(&mut self, host: HostId) {
        for other in self.conditions.ids() {
            if self.conditions.link(other, host).stalled == 0 {
                self.release_held(other, host);
            }
        }
    }
}
