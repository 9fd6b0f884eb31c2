//! Takes whole messages out of the byte stream of a WebSocket client, for the fault `half-open`.

/// Follows the frames that a client sends, and takes out those that begin while it is shut.
///
/// It works below the WebSocket, so that what it takes is not answered by anybody: no pong, no echo, no close frame.
/// A message is taken as a whole or not at all, however it is cut into frames and reads: the stream stays well-formed.
#[derive(Debug, Default)]
pub struct Sieve {
    shut: bool,
    place: Place,
    /// Whether the current frame is taken out.
    takes: bool,
    /// Whether the current data message is, whose frames control frames may come between.
    takes_message: bool,
}

/// Where in the stream the next byte stands.
#[derive(Clone, Copy, Debug, Default)]
enum Place {
    /// Ahead of the WebSocket, in HTTP.
    #[default]
    Http,
    /// The first byte of a frame.
    Start,
    /// The byte that says how long the frame is, or how many bytes will.
    Length,
    /// In those bytes.
    LongLength { left: u8, length: u64, mask: u64 },
    /// In the mask and the payload.
    Body { left: u64 },
}

impl Sieve {
    /// Notes that the next byte is the first of the first frame.
    pub fn begin(&mut self) {
        self.place = Place::Start;
    }

    /// Whether messages are taken out.
    pub fn is_shut(&self) -> bool {
        self.shut
    }

    /// Takes out the messages that begin from now on, or lets them pass.
    pub fn shut(&mut self, shut: bool) {
        self.shut = shut;
    }

    /// Moves what passes to the front of `bytes`. Returns how many those are, and how many messages were taken out.
    pub fn sift(&mut self, bytes: &mut [u8]) -> (usize, u64) {
        let mut kept = 0;
        let mut taken = 0;
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            let rest = bytes.len() - at;
            let run = match self.place {
                Place::Http => rest,
                Place::Body { left } => usize::try_from(left).map_or(rest, |left| left.min(rest)),
                Place::Start | Place::Length | Place::LongLength { .. } => 1,
            };
            self.place = match self.place {
                Place::Http => Place::Http,
                Place::Start => {
                    taken += self.begin_frame(byte);
                    Place::Length
                }
                Place::Length => after_length(byte),
                Place::LongLength { left, length, mask } => {
                    let length = length << 8 | u64::from(byte);
                    match left {
                        1 => body(length.saturating_add(mask)),
                        _ => Place::LongLength {
                            left: left - 1,
                            length,
                            mask,
                        },
                    }
                }
                Place::Body { left } => body(left - run as u64),
            };
            if !self.takes {
                bytes.copy_within(at..at + run, kept);
                kept += run;
            }
            at += run;
        }
        (kept, taken)
    }

    /// Decides about a frame by its first byte, and tells how many messages it is the last part of that is taken out.
    fn begin_frame(&mut self, byte: u8) -> u64 {
        let is_last = byte & 0x80 != 0;
        match byte & 0x0f {
            CONTINUATION => self.takes = self.takes_message,
            FIRST_CONTROL.. => {
                self.takes = self.shut;
                return 0;
            }
            _ => {
                self.takes_message = self.shut;
                self.takes = self.shut;
            }
        }
        u64::from(self.takes && is_last)
    }
}

fn after_length(byte: u8) -> Place {
    let mask = if byte & 0x80 != 0 { 4 } else { 0 };
    let long = |left| Place::LongLength {
        left,
        length: 0,
        mask,
    };
    match byte & 0x7f {
        126 => long(2),
        127 => long(8),
        short => body(u64::from(short) + mask),
    }
}

fn body(left: u64) -> Place {
    match left {
        0 => Place::Start,
        _ => Place::Body { left },
    }
}

const CONTINUATION: u8 = 0;
const FIRST_CONTROL: u8 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: u8 = 1;
    const PING: u8 = 9;
    const LAST: u8 = 0x80;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            len @ ..126 => frame.push(0x80 | len as u8),
            len @ ..0x1_0000 => {
                frame.push(0x80 | 126);
                frame.extend((len as u16).to_be_bytes());
            }
            len => {
                frame.push(0x80 | 127);
                frame.extend((len as u64).to_be_bytes());
            }
        }
        frame.extend([1, 2, 3, 4]);
        frame.extend(payload);
        frame
    }

    fn begun() -> Sieve {
        let mut sieve = Sieve::default();
        sieve.begin();
        sieve
    }

    /// Passes bytes in reads of `step`, and returns what is left and what was taken out.
    fn pass(sieve: &mut Sieve, bytes: &[u8], step: usize) -> (Vec<u8>, u64) {
        let mut left = Vec::new();
        let mut all = 0;
        for read in bytes.chunks(step) {
            let mut read = read.to_vec();
            let (kept, taken) = sieve.sift(&mut read);
            left.extend(&read[..kept]);
            all += taken;
        }
        (left, all)
    }

    #[test]
    fn a_message_is_taken_whole_however_it_is_read() {
        for len in [0, 5, 125, 126, 300, 70_000] {
            let lost = frame(LAST | TEXT, &vec![7; len]);
            let kept = frame(LAST | TEXT, b"kept");
            for step in [1, 2, 7, 4096, 100_000] {
                let mut sieve = begun();
                assert_eq!(pass(&mut sieve, &kept, step), (kept.clone(), 0));
                sieve.shut(true);
                let (head, tail) = lost.split_at(1);
                assert_eq!(pass(&mut sieve, head, step), (vec![], 1));
                sieve.shut(false);
                assert_eq!(pass(&mut sieve, tail, step), (vec![], 0));
                assert_eq!(pass(&mut sieve, &kept, step), (kept.clone(), 0));
            }
        }
    }

    #[test]
    fn what_began_before_passes_to_its_end() {
        let mut sieve = begun();
        let message = frame(LAST | TEXT, b"message");
        let (head, tail) = message.split_at(9);
        assert_eq!(pass(&mut sieve, head, 100).0, head);
        sieve.shut(true);
        assert_eq!(pass(&mut sieve, tail, 100).0, tail);
        assert_eq!(pass(&mut sieve, &message, 100), (vec![], 1));
    }

    #[test]
    fn the_parts_of_a_message_share_its_fate_and_control_frames_between_do_not() {
        let begin = frame(TEXT, b"one ");
        let ping = frame(LAST | PING, b"");
        let end = frame(LAST | CONTINUATION, b"message");
        let mut sieve = begun();
        assert_eq!(pass(&mut sieve, &begin, 3).0, begin);
        sieve.shut(true);
        assert_eq!(pass(&mut sieve, &ping, 3), (vec![], 0));
        assert_eq!(pass(&mut sieve, &end, 3), (end.clone(), 0));
        assert_eq!(pass(&mut sieve, &begin, 3), (vec![], 0));
        sieve.shut(false);
        assert_eq!(pass(&mut sieve, &ping, 3).0, ping);
        assert_eq!(pass(&mut sieve, &end, 3), (vec![], 1));
    }

    #[test]
    fn requests_pass_at_all_times() {
        let mut sieve = Sieve::default();
        sieve.shut(true);
        let request = b"GET /ws HTTP/1.1\r\n\r\n";
        assert_eq!(pass(&mut sieve, request, 5).0, request);
    }
}
