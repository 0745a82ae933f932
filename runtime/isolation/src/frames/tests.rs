//! Frames there and back, broken frames, and bodies under credit.

use std::collections::VecDeque;

use bytes::{BufMut, Bytes};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn decoded(bytes: &[u8]) -> Result<Vec<Frame>, Violation> {
    let mut decoder = Decoder::default();
    decoder.space().put_slice(bytes);
    let mut frames = Vec::new();
    while let Some(frame) = decoder.frame()? {
        frames.push(frame);
    }
    Ok(frames)
}

fn kinds() -> impl Strategy<Value = Kind> {
    proptest::sample::select(Kind::ALL.to_vec())
}

fn frames() -> impl Strategy<Value = Frame> {
    (
        kinds(),
        any::<u8>(),
        any::<u16>(),
        any::<u32>(),
        vec(any::<u8>(), 0..300),
    )
        .prop_map(|(kind, flags, aux, id, mut payload)| {
            match kind {
                Kind::End | Kind::Reset => payload.clear(),
                Kind::Credit => payload.resize(4, 7),
                _ => {}
            }
            Frame {
                kind,
                flags: flags & kind.flags(),
                aux,
                id,
                payload: payload.into(),
            }
        })
}

fn names() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(b"content-type".to_vec()),
        Just(b"x-request-id".to_vec()),
        vec(any::<u8>(), 0..40)
    ]
}

proptest! {
    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut(sent in vec(frames(), 0..20), cut in 1_usize..200) {
        let mut wire = Vec::new();
        for frame in &sent {
            put_bytes(&mut wire, frame.kind, frame.flags, frame.aux, frame.id, &frame.payload);
        }
        let mut decoder = Decoder::default();
        let mut came = Vec::new();
        for piece in wire.chunks(cut) {
            decoder.space().put_slice(piece);
            while let Some(frame) = decoder.frame().unwrap() {
                came.push(frame);
            }
        }
        prop_assert_eq!(came, sent);
    }

    #[test]
    fn requests_come_out_as_they_went_in(
        method in vec(any::<u8>(), 0..255), target in vec(any::<u8>(), 0..2000),
        fields in vec((names(), vec(any::<u8>(), 0..200)), 0..30), body in vec(any::<u8>(), 0..500),
    ) {
        let mut payload = Vec::new();
        let pairs = fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        put_request(&mut payload, &method, &target, pairs.clone()).unwrap();
        payload.extend_from_slice(&body);
        let payload = Bytes::from(payload);
        let head = request(&payload).unwrap();
        prop_assert_eq!((head.method, head.target), (method.as_slice(), target.as_slice()));
        prop_assert_eq!(&head.fields, &pairs.clone().collect::<Vec<_>>());
        prop_assert_eq!(&payload[head.body..], body.as_slice());

        let mut payload = Vec::new();
        put_response(&mut payload, pairs.clone()).unwrap();
        payload.extend_from_slice(&body);
        let payload = Bytes::from(payload);
        let (read, at) = response(&payload).unwrap();
        prop_assert_eq!(read, pairs.collect::<Vec<_>>());
        prop_assert_eq!(&payload[at..], body.as_slice());
    }

    #[test]
    fn a_head_that_is_cut_off_is_a_violation(fields in vec((names(), vec(any::<u8>(), 0..50)), 1..10)) {
        let mut payload = Vec::new();
        let pairs = fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()));
        put_request(&mut payload, b"GET", b"/api/orders", pairs).unwrap();
        let whole = Bytes::from(payload);
        for end in 0..whole.len() {
            prop_assert_eq!(request(&whole.slice(..end)).unwrap_err(), Violation::Head);
        }
    }

    /// Any bytes, and good frames with bytes changed: an answer or a violation, never a panic, never more than was sent.
    #[test]
    fn whatever_arrives_is_a_frame_or_a_violation(
        sent in vec(frames(), 1..8), noise in vec(any::<u8>(), 0..200),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
    ) {
        _ = decoded(&noise);
        let mut wire = Vec::new();
        for frame in &sent {
            put_bytes(&mut wire, frame.kind, frame.flags, frame.aux, frame.id, &frame.payload);
        }
        for (at, byte) in changes {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        if let Ok(frames) = decoded(&wire) {
            let bytes: usize = frames.iter().map(|frame| HEAD_BYTES + frame.payload.len()).sum();
            prop_assert!(bytes <= wire.len());
            for frame in frames {
                _ = request(&frame.payload);
                _ = response(&frame.payload);
                _ = frame.credit();
            }
        }
    }

    /// A sender and a receiver with a wire between them, taking turns in any order, one of them giving up at any moment.
    #[test]
    fn credit_is_never_exceeded_and_never_runs_out(
        parts in vec(0_usize..200_000, 1..12), turns in vec(0_u8..4, 0..400), reset in proptest::option::of(0_usize..400),
    ) {
        let mut ends = Ends::new(&parts);
        for (turn, what) in turns.into_iter().enumerate() {
            if reset == Some(turn) {
                // The receiver gives up: what is on the wire still counts, and nothing else is owed.
                ends.given_up = true;
            }
            ends.turn(what)?;
        }
        // From here on fairly: everything arrives, in full.
        let mut idle = 0;
        while idle < 4 && !ends.given_up {
            let before = ends.progress();
            for what in 0..4 {
                ends.turn(what)?;
            }
            idle = if ends.progress() == before { idle + 1 } else { 0 };
        }
        if !ends.given_up {
            prop_assert_eq!(ends.used, parts.iter().sum::<usize>());
            prop_assert!(ends.to_send.is_empty());
        }
    }
}

struct Ends {
    sending: Sending,
    receiving: Receiving,
    to_send: VecDeque<usize>,
    wire: VecDeque<usize>,
    back: VecDeque<usize>,
    arrived: VecDeque<usize>,
    used: usize,
    given_up: bool,
}

impl Ends {
    fn new(parts: &[usize]) -> Self {
        Self {
            sending: Sending::default(),
            receiving: Receiving::default(),
            to_send: parts.iter().copied().collect(),
            wire: VecDeque::new(),
            back: VecDeque::new(),
            arrived: VecDeque::new(),
            used: 0,
            given_up: false,
        }
    }

    fn turn(&mut self, what: u8) -> Result<(), TestCaseError> {
        match what {
            0 => {
                if let Some(left) = self.to_send.front_mut()
                    && let Some(part) = self.sending.take(*left)
                {
                    *left -= part;
                    if *left == 0 {
                        self.to_send.pop_front();
                    }
                    self.wire.push_back(part);
                }
            }
            1 => {
                if let Some(part) = self.wire.pop_front() {
                    prop_assert!(part <= CHUNK);
                    prop_assert_eq!(self.receiving.received(part), Ok(()));
                    self.arrived.push_back(part);
                }
                let held: usize = self.arrived.iter().map(|part| cost(*part)).sum();
                prop_assert!(held <= WINDOW, "{held} wait at the receiver");
            }
            2 if !self.given_up => {
                if let Some(part) = self.arrived.pop_front() {
                    self.used += part;
                    self.back
                        .extend(self.receiving.used(part).map(|n| n as usize));
                }
            }
            _ => {
                if let Some(credit) = self.back.pop_front() {
                    prop_assert_eq!(self.sending.credited(credit), Ok(()));
                }
            }
        }
        Ok(())
    }

    fn progress(&self) -> (usize, usize, usize, usize) {
        (
            self.to_send.iter().sum(),
            self.wire.len(),
            self.arrived.len(),
            self.back.len(),
        )
    }
}

#[test]
fn what_no_frame_may_say_is_named() {
    let head = |length: u32, kind: u8, flags: u8| {
        let mut bytes = Vec::new();
        bytes.put_u32_le(length);
        bytes.put_slice(&[kind, flags, 0, 0, 1, 0, 0, 0]);
        decoded(&bytes).unwrap_err()
    };
    assert_eq!(head(0, 0, 0), Violation::Kind(0));
    assert_eq!(head(0, 11, 0), Violation::Kind(11));
    let (kind, flags) = (Kind::Response, SHARED);
    assert_eq!(head(0, 3, SHARED), Violation::Flags { kind, flags });
    let (kind, flags) = (Kind::Data, MORE);
    assert_eq!(head(0, 4, MORE), Violation::Flags { kind, flags });
    // Said at once: nobody waits for 4 GiB.
    let length = u32::MAX as usize;
    let kind = Kind::Response;
    assert_eq!(head(u32::MAX, 3, 0), Violation::Length { kind, length });
    let kind = Kind::End;
    assert_eq!(head(1, 5, 0), Violation::Length { kind, length: 1 });
    let kind = Kind::Credit;
    assert_eq!(head(5, 7, 0), Violation::Length { kind, length: 5 });
}

#[test]
fn who_sends_or_gives_too_much_is_caught() {
    let mut receiving = Receiving::default();
    for _ in 0..3 {
        receiving.received(CHUNK).unwrap();
    }
    assert_eq!(receiving.received(CHUNK), Err(Violation::Credit));

    let mut crumbs = Receiving::default();
    let most = (0..).take_while(|_| crumbs.received(0).is_ok()).count();
    assert_eq!(most, WINDOW / cost(0), "frames without bytes cost, too");

    let mut sending = Sending::default();
    assert_eq!(sending.credited(1), Err(Violation::Credit));
    assert_eq!(sending.take(100), Some(100));
    assert_eq!(sending.credited(cost(100) + 1), Err(Violation::Credit));
    assert_eq!(sending.credited(cost(100)), Ok(()));
}

#[test]
fn what_is_too_long_for_its_length_does_not_travel() {
    let mut out = Vec::new();
    let none = || std::iter::empty();
    assert!(put_request(&mut out, &[b'A'; 256], b"/", none()).is_err());
    assert!(put_request(&mut out, b"GET", &vec![b'/'; 65_536], none()).is_err());
    let name = vec![b'x'; 65_536];
    assert!(put_response(&mut out, [(name.as_slice(), &b""[..])].into_iter()).is_err());
}
