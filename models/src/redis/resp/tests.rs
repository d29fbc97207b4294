//! Both directions against each other, against the crate's own decoder, and against arbitrary bytes.

use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::redis::reply::Protocol;

fn replies() -> impl Strategy<Value = Reply> {
    let leaf = prop_oneof![
        "[ -~]{0,20}".prop_map(|text| Reply::Simple(Cow::Owned(text))),
        "[ -~]{0,20}".prop_map(|text| Reply::Error(Cow::Owned(text))),
        any::<i64>().prop_map(Reply::Integer),
        any::<Vec<u8>>().prop_map(|bytes| Reply::Bulk(Bytes::from(bytes))),
        Just(Reply::Null),
        Just(Reply::NullArray),
        Just(Reply::Nothing),
        any::<bool>().prop_map(Reply::Boolean),
        // Not a number is equal to nothing, and Redis never answers one.
        any::<f64>().prop_filter("a number", |number| !number.is_nan()).prop_map(Reply::Double),
        "-?[1-9][0-9]{0,40}".prop_map(|digits| Reply::BigNumber(Bytes::from(digits))),
        any::<Vec<u8>>().prop_map(|bytes| Reply::Verbatim(Format::Text, Bytes::from(bytes))),
        any::<Vec<u8>>().prop_map(|bytes| Reply::Verbatim(Format::Markdown, Bytes::from(bytes))),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let several = prop::collection::vec(inner.clone(), 0..8);
        prop_oneof![
            several.clone().prop_map(Reply::Array),
            several.clone().prop_map(Reply::Set),
            several.prop_map(Reply::Push),
            prop::collection::vec((inner.clone(), inner), 0..4).prop_map(Reply::Map),
        ]
    })
}

/// Bytes that look like RESP often enough to get past the first check.
fn almost_resp() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"*".to_vec()),
        Just(b"$".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b":".to_vec()),
        Just(b"+".to_vec()),
        Just(b"\"".to_vec()),
        (-2i64..600_000_000).prop_map(|number| number.to_string().into_bytes()),
        (0i64..4).prop_map(|number| number.to_string().into_bytes()),
        any::<Vec<u8>>(),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Good requests, one after the other, with a few bytes changed.
fn damaged_requests() -> impl Strategy<Value = Vec<u8>> {
    let requests = prop::collection::vec(prop::collection::vec(any::<Vec<u8>>(), 1..4), 1..5);
    let damage = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (requests, damage).prop_map(|(requests, damage)| {
        let mut bytes = BytesMut::new();
        for args in &requests {
            encode_request(&args.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut bytes);
        }
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.to_vec()
    })
}

/// All that can be taken off `input`, up to the first error.
fn drain(input: &mut BytesMut) -> Vec<Result<Request, ProtocolError>> {
    let mut found = Vec::new();
    loop {
        match decode_request(input) {
            Ok(Some(request)) => found.push(Ok(request)),
            Ok(None) => return found,
            Err(error) => {
                found.push(Err(error));
                return found;
            }
        }
    }
}

proptest! {
    #[test]
    fn a_reply_comes_back_as_it_was(reply in replies(), tail in any::<Vec<u8>>()) {
        let mut bytes = BytesMut::new();
        encode_reply(&reply, &mut bytes);
        bytes.extend_from_slice(&tail);
        prop_assert_eq!(decode_reply(&mut bytes), Ok(Some(reply)));
        prop_assert_eq!(&bytes[..], &tail[..]);
    }

    #[test]
    fn an_unfinished_reply_is_waited_for(reply in replies(), cut in any::<prop::sample::Index>()) {
        let mut bytes = BytesMut::new();
        encode_reply(&reply, &mut bytes);
        let cut = cut.index(bytes.len());
        let mut start = BytesMut::from(&bytes[..cut]);
        prop_assert_eq!(decode_reply(&mut start), Ok(None));
        prop_assert_eq!(start.len(), cut);
    }

    #[test]
    fn a_request_comes_back_as_it_was(args: Vec<Vec<u8>>, tail in any::<Vec<u8>>()) {
        let views: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let mut bytes = BytesMut::new();
        encode_request(&views, &mut bytes);
        bytes.extend_from_slice(&tail);
        prop_assert_eq!(decode_request(&mut bytes), Ok(Some(Request::new(&args))));
        prop_assert_eq!(&bytes[..], &tail[..]);
    }

    #[test]
    fn an_unfinished_request_is_waited_for(
        args in prop::collection::vec(any::<Vec<u8>>(), 1..12),
        cut in any::<prop::sample::Index>(),
    ) {
        let views: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        let mut bytes = BytesMut::new();
        encode_request(&views, &mut bytes);
        bytes.truncate(cut.index(bytes.len()));
        prop_assert_eq!(decode_request(&mut bytes), Ok(None));
    }

    /// However a stream is cut, the same requests come out, and the same error ends them.
    #[test]
    fn requests_do_not_depend_on_how_the_stream_is_cut(
        bytes in prop_oneof![any::<Vec<u8>>(), almost_resp(), damaged_requests()],
        cuts in prop::collection::vec(1usize..40, 0..24),
    ) {
        let whole = drain(&mut BytesMut::from(&bytes[..]));
        let (mut input, mut found) = (BytesMut::new(), Vec::new());
        let mut rest = &bytes[..];
        for cut in cuts.into_iter().chain([usize::MAX]) {
            let (piece, after) = rest.split_at(cut.min(rest.len()));
            rest = after;
            input.extend_from_slice(piece);
            found.extend(drain(&mut input));
            if found.last().is_some_and(Result::is_err) {
                break;
            }
        }
        prop_assert_eq!(found, whole);
    }

    /// The same for replies, in both protocols.
    #[test]
    fn replies_do_not_depend_on_how_the_stream_is_cut(
        sent in prop::collection::vec(replies(), 1..4),
        resp3: bool,
        cuts in prop::collection::vec(1usize..40, 0..24),
    ) {
        let protocol = if resp3 { Protocol::Resp3 } else { Protocol::Resp2 };
        let mut bytes = BytesMut::new();
        let mut lowered = Vec::new();
        for mut reply in sent {
            reply.lower(protocol);
            encode_reply(&reply, &mut bytes);
            lowered.push(reply);
        }
        let (mut input, mut found) = (BytesMut::new(), Vec::new());
        for cut in cuts.into_iter().chain([usize::MAX]) {
            input.extend_from_slice(&bytes.split_to(cut.min(bytes.len())));
            while let Some(reply) = decode_reply(&mut input).expect("whole replies") {
                found.push(reply);
            }
        }
        prop_assert_eq!(found, lowered);
    }

    /// One byte of a good reply is wrong: it is read, refused or waited for, and nothing is believed
    /// that is not there.
    #[test]
    fn a_damaged_reply_is_read_or_refused(
        reply in replies(), at in any::<prop::sample::Index>(), byte: u8,
    ) {
        let mut bytes = BytesMut::new();
        encode_reply(&reply, &mut bytes);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        while let Ok(Some(_)) = decode_reply(&mut bytes) {}
    }

    #[test]
    fn arbitrary_bytes_are_answered_or_refused(bytes in prop_oneof![any::<Vec<u8>>(), almost_resp()]) {
        let mut input = BytesMut::from(&bytes[..]);
        while let Ok(Some(request)) = decode_request(&mut input) {
            prop_assert!(request.iter().map(<[u8]>::len).sum::<usize>() <= bytes.len());
        }
        let mut input = BytesMut::from(&bytes[..]);
        while let Ok(Some(_)) = decode_reply(&mut input) {}
    }

    #[test]
    fn quoted_words_are_unquoted(word in "[ -~]{0,20}") {
        let quoted = word.replace('\\', "\\\\").replace('"', "\\\"");
        let mut input = BytesMut::from(format!("ECHO \"{quoted}\"\r\n").as_bytes());
        prop_assert_eq!(decode_request(&mut input), Ok(Some(Request::new(["ECHO", &word]))));
    }
}

fn refusal(input: &[u8]) -> String {
    decode_request(&mut BytesMut::from(input)).expect_err("a protocol error").to_string()
}

/// `src/networking.c` `processMultibulkBuffer` and `processInlineBuffer`; all verified on 7.0.15.
#[test]
fn requests_are_refused_in_redis_own_words() {
    assert_eq!(refusal(b"*1\r\n:5\r\n"), "Protocol error: expected '$', got ':'");
    assert_eq!(refusal(b"*1\r\n\r\n"), "Protocol error: expected '$', got ' '");
    assert_eq!(refusal(b"*x\r\n"), "Protocol error: invalid multibulk length");
    assert_eq!(refusal(b"*01\r\n"), "Protocol error: invalid multibulk length");
    assert_eq!(refusal(b"*1\r\n$04\r\n"), "Protocol error: invalid bulk length");
    assert_eq!(refusal(b"*2147483648\r\n"), "Protocol error: invalid multibulk length");
    assert_eq!(refusal(b"*1\r\n$-1\r\n"), "Protocol error: invalid bulk length");
    assert_eq!(refusal(b"*1\r\n$536870913\r\n"), "Protocol error: invalid bulk length");
    assert_eq!(refusal(b"ECHO \"x\r\n"), "Protocol error: unbalanced quotes in request");
    assert_eq!(refusal(b"ECHO \"x\"y\r\n"), "Protocol error: unbalanced quotes in request");
    let long = |start: &str| [start.as_bytes(), &[b'1'; MAX_LINE + 1]].concat();
    assert_eq!(refusal(&long("")), "Protocol error: too big inline request");
    assert_eq!(refusal(&long("*")), "Protocol error: too big mbulk count string");
    assert_eq!(refusal(&long("*1\r\n$")), "Protocol error: too big bulk count string");
}

/// `src/networking.c`: before AUTH, and with another `proto-max-bulk-len`.
#[test]
fn strangers_are_believed_less() {
    let stranger = Limits { stranger: true, ..Limits::default() };
    let refusal = |input: &[u8], limits| {
        let refused = decode_request_within(&mut BytesMut::from(input), limits);
        refused.expect_err("a protocol error").to_string()
    };
    assert_eq!(refusal(b"*11\r\n", stranger), "Protocol error: unauthenticated multibulk length");
    let bulk = "Protocol error: unauthenticated bulk length";
    assert_eq!(refusal(b"*1\r\n$16385\r\n", stranger), bulk);
    let small = Limits { bulk: 1_048_576, ..Limits::default() };
    assert_eq!(refusal(b"*1\r\n$1048577\r\n", small), "Protocol error: invalid bulk length");
}

#[test]
fn what_is_announced_is_not_allocated() {
    let mut input = BytesMut::from(&b"*2147483647\r\n$536870912\r\n"[..]);
    assert_eq!(decode_request(&mut input), Ok(None));
    let mut input = BytesMut::from(&b"*2147483647\r\n$536870912\r\n"[..]);
    assert_eq!(decode_reply(&mut input), Ok(None));
}

#[test]
fn a_deep_reply_is_refused_not_descended_into() {
    let mut input = BytesMut::from("*1\r\n".repeat(1_000_000).as_bytes());
    assert!(decode_reply(&mut input).is_err());
}

#[test]
fn an_empty_array_and_an_empty_line_are_empty_requests() {
    for empty in ["*0\r\n", "*-1\r\n", "\r\n", "   \n"] {
        let mut input = BytesMut::from(empty);
        assert_eq!(decode_request(&mut input), Ok(Some(Request::default())), "{empty:?}");
        assert!(input.is_empty());
    }
}

/// Verified on 7.0.15, which looks for line ends with `strchr` and does not look at them closely.
#[test]
fn line_ends_are_taken_as_redis_takes_them() {
    let ping = Ok(Some(Request::new(["PING"])));
    for input in ["PING\n", "PING\r\n", "PING\r\r\n", "*1\rX$4\rXPINGzz", "*1\r\n$4\r\nPINGxx"] {
        assert_eq!(decode_request(&mut BytesMut::from(input)), ping, "{input:?}");
    }
    for input in ["\0\r\nPING\r\n", "PING\0x\r\n"] {
        assert_eq!(decode_request(&mut BytesMut::from(input)), Ok(None), "{input:?}");
    }
    let mut input = BytesMut::from("echo 'a\\'b'\necho \"\\x41\\n\\q\"\r\n");
    assert_eq!(decode_request(&mut input), Ok(Some(Request::new(["echo", "a'b"]))));
    assert_eq!(decode_request(&mut input), Ok(Some(Request::new(["echo", "A\nq"]))));
}

proptest! {
    /// What is written by hand is what the crate writes. (Integers: see below.)
    #[test]
    fn short_shapes_are_written_as_the_crate_writes_them(bytes: Vec<u8>, text in "[ -~]{0,20}") {
        let rows = [
            (Reply::Bulk(Bytes::from(bytes.clone())), BorrowedFrame::BulkString(&bytes)),
            (Reply::Simple(Cow::Owned(text.clone())), BorrowedFrame::SimpleString(text.as_bytes())),
            (Reply::OK, BorrowedFrame::SimpleString(b"OK")),
            (Reply::Null, BorrowedFrame::Null),
        ];
        for (reply, frame) in rows {
            let (mut ours, mut theirs) = (BytesMut::new(), BytesMut::new());
            encode_reply(&reply, &mut ours);
            write(&frame, &mut theirs);
            prop_assert_eq!(ours, theirs);
        }
    }

    /// What is read in one go is what the general reader reads; what it leaves alone may be anything.
    #[test]
    fn short_shapes_are_read_as_the_general_reader_reads_them(
        bytes in prop_oneof![
            any::<Vec<u8>>(),
            almost_resp(),
            replies().prop_map(|reply| {
                let mut bytes = BytesMut::new();
                encode_reply(&reply, &mut bytes);
                bytes.to_vec()
            }),
        ],
    ) {
        if let Some((reply, length)) = short::reply(&bytes) {
            prop_assert_eq!(scan::reply_length(&bytes), Ok(Some(length)));
            prop_assert_eq!(read::Reader::new(&bytes[..length]).reply(), Ok(reply));
        }
    }
}

/// The crate that writes the other frames miscounts the digits of these.
#[test]
fn a_number_just_below_a_power_of_ten_is_written_as_it_is() {
    let mut power: i64 = 1;
    for _ in 0..18 {
        power *= 10;
        for number in [power - 2, power - 1, power, 1 - power] {
            let mut bytes = BytesMut::new();
            encode_reply(&Reply::Integer(number), &mut bytes);
            assert_eq!(bytes, format!(":{number}\r\n").as_bytes());
        }
    }
}
