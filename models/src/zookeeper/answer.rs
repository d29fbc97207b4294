//! What a server answers to an operation: a few shapes of bodies. Which of them it is, the bytes do not
//! say; who reads them knows what was asked.

use bytes::{Bytes, BytesMut};

use super::code::Code;
use super::jute::{Jute, Malformed, record};
use super::opcode;
use super::records::*;
use crate::transcript::notation::{Note, Noted};

record! {
    /// Credentials as they may be shown to their owner.
    pub struct ClientInfo {
        /// How they were shown.
        pub scheme: String,
        /// Whose they are.
        pub user: String,
    }
}

/// The body of an answer without error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing but the header.
    Done,
    /// A path.
    Path(Option<String>),
    /// A new node.
    Created(String, Stat),
    /// A node's stat.
    Stat(Stat),
    /// A node's data and stat.
    Data(Option<Bytes>, Stat),
    /// Names, or paths.
    Names(Vec<String>),
    /// The names of a node's children, and its stat.
    Children(Vec<String>, Stat),
    /// An access list, and the node's stat.
    Acl(Vec<Acl>, Stat),
    /// A number: how many nodes, or 0 where a watch was added.
    Number(i32),
    /// Who the client is.
    Clients(Vec<ClientInfo>),
    /// A token of SASL.
    Token(Option<Bytes>),
    /// The results of a transaction's operations, each with its operation's number.
    Multi(Vec<OneResult>),
}

/// What came of one operation of a transaction: its number, or -1, and its answer or error.
pub type OneResult = (i32, Result<Answer, Code>);

impl Answer {
    /// Takes the answer to the operation with that number off `input`.
    ///
    /// # Errors
    /// If the bytes are no such answer.
    pub fn read(opcode: i32, input: &mut Bytes) -> Result<Self, Malformed> {
        Ok(match opcode {
            opcode::CREATE | opcode::SYNC => Answer::Path(Jute::read(input)?),
            opcode::CREATE2 | opcode::CREATE_CONTAINER | opcode::CREATE_TTL => {
                Answer::Created(Jute::read(input)?, Jute::read(input)?)
            }
            opcode::EXISTS | opcode::SET_DATA | opcode::SET_ACL => Answer::Stat(Jute::read(input)?),
            opcode::GET_DATA | opcode::RECONFIG => {
                Answer::Data(Jute::read(input)?, Jute::read(input)?)
            }
            opcode::GET_ACL => Answer::Acl(Jute::read(input)?, Jute::read(input)?),
            opcode::GET_CHILDREN | opcode::GET_EPHEMERALS => Answer::Names(Jute::read(input)?),
            opcode::GET_CHILDREN2 => Answer::Children(Jute::read(input)?, Jute::read(input)?),
            opcode::GET_ALL_CHILDREN_NUMBER | opcode::ADD_WATCH => {
                Answer::Number(Jute::read(input)?)
            }
            opcode::SASL => Answer::Token(Jute::read(input)?),
            opcode::WHO_AM_I => Answer::Clients(Jute::read(input)?),
            opcode::MULTI | opcode::MULTI_READ => Answer::Multi(read_results(input)?),
            _ => Answer::Done,
        })
    }

    /// The note of it, as transcripts have it.
    pub fn note(&self) -> Note {
        let (name, fields) = match self {
            Answer::Done => return Note::word("done"),
            Answer::Path(path) => ("Path", vec![("path", path.note())]),
            Answer::Created(path, stat) => {
                ("Created", vec![("path", path.note()), ("stat", stat.note())])
            }
            Answer::Stat(stat) => return stat.note().named("Stat"),
            Answer::Data(data, stat) => {
                ("Data", vec![("data", data.note()), ("stat", stat.note())])
            }
            Answer::Names(names) => ("Names", vec![("names", names.note())]),
            Answer::Children(names, stat) => {
                ("Children", vec![("names", names.note()), ("stat", stat.note())])
            }
            Answer::Acl(acl, stat) => ("Acl", vec![("acl", acl.note()), ("stat", stat.note())]),
            Answer::Number(number) => ("Number", vec![("number", number.note())]),
            Answer::Clients(clients) => ("Clients", vec![("clients", clients.note())]),
            Answer::Token(token) => ("Token", vec![("token", token.note())]),
            Answer::Multi(results) => {
                let result = |(opcode, result): &OneResult| match result {
                    Ok(answer) => Note::record(
                        "",
                        vec![
                            ("opcode".to_owned(), opcode.note()),
                            ("is".to_owned(), answer.note()),
                        ],
                    ),
                    Err(code) => Note::word(format!("{code:?}")),
                };
                ("Multi", vec![("results", Note::List(results.iter().map(result).collect()))])
            }
        };
        Note::record(name, fields.into_iter().map(|(name, note)| (name.to_owned(), note)).collect())
    }

    /// Appends the body to `output`.
    pub fn write(&self, output: &mut BytesMut) {
        match self {
            Answer::Done => {}
            Answer::Path(path) => path.write(output),
            Answer::Created(path, stat) => {
                path.write(output);
                stat.write(output);
            }
            Answer::Stat(stat) => stat.write(output),
            Answer::Data(data, stat) => {
                data.write(output);
                stat.write(output);
            }
            Answer::Names(names) => names.write(output),
            Answer::Children(names, stat) => {
                names.write(output);
                stat.write(output);
            }
            Answer::Acl(acl, stat) => {
                acl.write(output);
                stat.write(output);
            }
            Answer::Number(number) => number.write(output),
            Answer::Clients(clients) => clients.write(output),
            Answer::Token(token) => token.write(output),
            Answer::Multi(results) => write_results(results, output),
        }
    }
}

/// The results of a transaction (`MultiResponse.java`): in a failed one an error for each operation, 0
/// being one that would have worked.
fn read_results(input: &mut Bytes) -> Result<Vec<OneResult>, Malformed> {
    let mut results = Vec::new();
    loop {
        let header = MultiHeader::read(input)?;
        if header.done {
            return Ok(results);
        }
        let result = match header.opcode {
            -1 => Err(Code::from_number(i32::read(input)?)),
            // A transaction has none within itself, so this goes no deeper.
            opcode::MULTI | opcode::MULTI_READ => return Err(Malformed),
            opcode => Ok(Answer::read(opcode, input)?),
        };
        results.push((header.opcode, result));
    }
}

fn write_results(results: &[OneResult], output: &mut BytesMut) {
    for (opcode, result) in results {
        match result {
            Ok(answer) => {
                MultiHeader { opcode: *opcode, done: false, error: 0 }.write(output);
                answer.write(output);
            }
            Err(code) => {
                let error = code.number();
                MultiHeader { opcode: -1, done: false, error }.write(output);
                error.write(output);
            }
        }
    }
    MultiHeader { opcode: -1, done: true, error: -1 }.write(output);
}
