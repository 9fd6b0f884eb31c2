//! What must hold in every world, by name.

/// A check that failed, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub check: Check,
    /// What was seen.
    pub detail: String,
}

/// Whether a check held.
pub type Held = Result<(), Breach>;

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The checks. The number is that of the invariant in `tests/sim/README.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Check { $($(#[$doc])* $name,)* }
    };
}

checks! {
    /// 1: an identity has at most one live socket. One that the hub has told to close is not live.
    OneLiveSocket,
    /// 1: a frame goes to the live socket and to no other.
    SendsToLiveSocket,

    /// 2: a tab gets every message once and in order, as it came from the socket.
    EveryMessageOnceInOrder,
    /// 2: a page that counts for itself finds no hole without a `gap`, and nothing twice.
    PageSeesNoHole,
    /// 2: between two broadcasts that a handle gets there is none that it missed, unless it was told of a gap there; across hubs too.
    MissingMeansGap,
    /// 2: `gap` covers what is missing, exactly, and `overflow` follows with the same count and the policy in force.
    GapsCoverTheLoss,
    /// 2: messages are dropped only when the flow policy has a reason to.
    DropsAreJustified,
    /// 2: messages come while the connection is shown as open, before the status that ends it and after the one that began it.
    NotesKeepTheirPlace,
    /// 2: each lost connection raises one suspected gap.
    LossRaisesOneGap,
    /// 2: a visible tab with room gets what there is by the next tick, and one without room is asked to acknowledge.
    NobodyStarves,
    /// 2: a hidden tab waits no longer than `hiddenFlush`.
    HiddenTabsWaitBriefly,
    /// 2: every `attach` is answered once, in order with the stream, with the options that were ignored.
    AttachIsAnswered,
    /// 2: `closed` comes once, after all messages, and is the last about its handle.
    ClosedComesLast,
    /// 2: what a tab asks is answered at once, and nothing else is.
    QuestionsAreAnswered,

    /// 3: sends are handed in the order in which they came to the hub.
    SendsKeepTheirOrder,
    /// 3: what can be handed is.
    OpenMeansHanded,
    /// 3: every send arrives once or is counted once; only `unknown` may be both.
    SendsArriveOrAreCounted,
    /// 3: a send is reported for a reason that holds, and once.
    FailuresAreJustified,
    /// 3: what must fail (bounds, ttl, closed, unknown fate) is told at once.
    FailuresAreTold,
    /// 3: only what has arrived or was told as failed counts as confirmed, by the documented proofs.
    ConfirmationsAreHonest,
    /// 3: a tab knows what was handed; in the end everything is confirmed.
    ConfirmationsCome,
    /// 3: sends of dead tabs arrive or are counted as orphaned.
    OrphansAreCounted,

    /// 4: with the server within reach the connection is open again within the documented bound.
    ReconnectsInTime,
    /// 4: a dead path is noticed within interval and timeout, and an attempt ends within its timeout.
    DeadPathsAreNoticed,

    /// 5: what waits for a tab stays below its cap.
    BacklogBelowCap,
    /// 5: what is in flight to a tab stays within its window.
    InFlightWithinWindow,
    /// 5: what waits to be sent stays within the bounds of its handle.
    OutboxWithinBounds,
    /// 5: a suspended tab is posted nothing, and a forgotten one nothing either.
    SuspendedMeansSilence,
    /// 5: dead tabs are forgotten in time, live ones are not.
    TabsAreForgottenInTime,
    /// 5: a connection ends when nobody has wanted it for `linger`, not earlier and not later.
    LingerIsKept,
    /// 5: the code for the server comes from the last handle, and only if that was closed; `shutdown` gives 1000.
    CodesReachTheServer,
    /// 5: when all have left, nothing remains: no tab, connection or timer.
    EverythingEnds,

    /// 6: transitions are those of the table, with their reason and cause.
    TransitionsAreLegal,
    /// 6: `attempt` and `nextAttemptAt` say what is done.
    AttemptsAreTold,
    /// 6: no attempt before its time, and none that nobody asked for.
    DelaysAreWithinBounds,
    /// 6: a connection fails for good only after `maxAttempts` failed attempts.
    GivesUpByRule,
    /// 6: an attempt is made with the url and the token that a tab has given, and with no token that has expired or was refused.
    AttemptsBringWhatTheyNeed,
    /// 6: a visible tab is asked before a hidden one, the newest of those, each once; when none is left it goes on at once.
    TheBestTabIsAsked,
    /// 6: the census and the report say what is.
    CountsAreTrue,

    /// 8: a listener hears messages of its topic and of no other.
    ListenersHearTheirTopic,
    /// 8: it hears them in the order of the server, and none twice where there are positions.
    TopicsKeepTheirOrder,
    /// 8: between two messages that it hears there is none that it missed, unless it was told of a gap there; across hubs too.
    TopicHolesAreTold,
    /// 8: nothing is asked for twice on a connection, and no more than it takes.
    TopicsAreAskedOnce,
    /// 8: when all is quiet the server has been asked for what is wanted, once for each connection, and for nothing else.
    TopicsAreThoseWanted,
    /// 8: each listener is served when all is quiet.
    ListenersAreServed,
    /// 8: a subscription ends with an error only where the server has refused it, or not answered.
    RefusalsAreJustified,
    /// 8: a request comes to the server once, and is settled once.
    RequestsSettleOnce,
    /// 8: a request is settled with its own answer or a named error; when all is quiet with its answer.
    RequestsGetTheirAnswer,

    /// 9: of the hubs of pages that lead one has sockets, and two for the time of a handover; when all has healed there is one.
    OneLeader,
    /// 9: when all has healed every page is with the one that leads.
    AllFollow,
    /// 9: a breaker that is open is open at the next hub, for no longer than it was.
    BreakersOutliveTheirHub,

    /// 7: the hub does not panic.
    NoPanic,
    /// 7: an input has a bounded number of outputs, and a timeout that was handled is over.
    NoEndlessWork,
}

impl Check {
    /// Fails unless `holds`.
    pub fn require(self, holds: bool, detail: impl FnOnce() -> String) -> Held {
        if holds {
            Ok(())
        } else {
            Err(self.breach(detail()))
        }
    }

    /// The failure of this check.
    pub fn breach(self, detail: impl Into<String>) -> Breach {
        Breach {
            check: self,
            detail: detail.into(),
        }
    }
}
