//! The op numbers, first item of every message.

/// `hello {…}`
pub const HELLO: u32 = 1;
/// `bye`
pub const BYE: u32 = 2;
/// `attach handle {…}`
pub const ATTACH: u32 = 3;
/// `detach handle code? reason?`
pub const DETACH: u32 = 4;
/// `send handle firstId frames`
pub const SEND: u32 = 5;
/// `ack conn next`
pub const ACK: u32 = 6;
/// `alive`
pub const ALIVE: u32 = 7;
/// `visibility visible focused`
pub const VISIBILITY: u32 = 8;
/// `online 0|1`
pub const ONLINE: u32 = 9;
/// `suspend`
pub const SUSPEND: u32 = 10;
/// `resume`
pub const RESUME: u32 = 11;
/// `reconnect handle`
pub const RECONNECT: u32 = 12;
/// `shutdown handle`
pub const SHUTDOWN: u32 = 13;
/// `report id`
pub const REPORT: u32 = 14;
/// `answer id value`
pub const ANSWER: u32 = 15;
/// `subscribe handle conn subscriptions`
pub const SUBSCRIBE: u32 = 16;
/// `unsubscribe handle conn numbers`
pub const UNSUBSCRIBE: u32 = 17;
/// `request handle conn number data timeout`
pub const REQUEST: u32 = 18;
/// `cancel handle conn number`
pub const CANCEL: u32 = 19;
/// `done handle conn id`
pub const DONE: u32 = 20;

/// `gate name {…} snapshot`
pub const GATE: u32 = 21;
/// `outcome name generation permit outcome count slow ago retryAfter`
pub const OUTCOME: u32 = 22;
/// `acquire name id wish`
pub const ACQUIRE: u32 = 23;
/// `force name order`
pub const FORCE: u32 = 24;

/// `inspect level`
pub const INSPECT: u32 = 26;

/// `welcome {…}`
pub const WELCOME: u32 = 65;
/// `attached handle conn next ignored …`
pub const ATTACHED: u32 = 66;
/// `refused handle code detail`
pub const REFUSED: u32 = 67;
/// `status conn …`
pub const STATUS: u32 = 68;
/// `batch conn first frames wantAck`
pub const BATCH: u32 = 69;
/// `sent handle handed confirmed`
pub const SENT: u32 = 70;
/// `failed handle firstId count reason`
pub const FAILED: u32 = 71;
/// `gap conn from to count reason suspected`
pub const GAP: u32 = 72;
/// `closed handle code reason wasClean`
pub const CLOSED: u32 = 73;
/// `beat epoch`
pub const BEAT: u32 = 74;
/// `ask`
pub const ASK: u32 = 75;
/// `need handle id kind`
pub const NEED: u32 = 76;
/// `move {…}`
pub const MOVE: u32 = 77;
/// `census tabs connections`
pub const CENSUS: u32 = 80;
/// `reply id value`
pub const REPLY: u32 = 81;
/// `who`
pub const WHO: u32 = 82;
/// `error op code`
pub const ERROR: u32 = 83;
/// `overflow conn count policy`
pub const OVERFLOW: u32 = 84;
/// `beside protocol build`
pub const BESIDE: u32 = 85;
/// `subscribed handle number frames times mark`
pub const SUBSCRIBED: u32 = 86;
/// `unsubscribed handle number code detail`
pub const UNSUBSCRIBED: u32 = 87;
/// `answered handle number frames times`
pub const ANSWERED: u32 = 88;
/// `single handle number frames times id again`
pub const SINGLE: u32 = 91;
/// `unanswered handle number code`
pub const UNANSWERED: u32 = 89;
/// `missed handle number from to reason suspected`
pub const MISSED: u32 = 90;
/// `breaker name state reason generation …`
pub const BREAKER: u32 = 92;
/// `verdict name id granted …`
pub const VERDICT: u32 = 93;
/// `ungated name`
pub const UNGATED: u32 = 94;
/// `alert conn event {…}`
pub const ALERT: u32 = 95;
/// `inspected dropped entries`
pub const INSPECTED: u32 = 96;
