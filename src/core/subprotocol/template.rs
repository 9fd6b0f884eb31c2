//! How a server speaks, as data.

use super::error::TemplateError;
use super::form::{Form, Hole};
use super::json::{members, text_of};
use super::pointer::Pointer;
use super::rule::{Kind, Rule, Test};
use crate::protocol::Millis;

/// A template that has been read.
///
/// Its rules say what a frame that arrives means, its forms what is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    /// Every pointer of the rules, without those that only tabs follow.
    pub pointers: Vec<Pointer>,
    /// The rules, in the order in which they are tried.
    pub rules: Vec<Rule>,
    /// What subscribes to a topic, or to several.
    pub subscribe: Option<Form>,
    /// What subscribes to a topic, or to several, from a position on.
    pub resume: Option<Form>,
    /// What ends that.
    pub unsubscribe: Option<Form>,
    /// What publishes.
    pub publish: Option<Form>,
    /// What asks for an answer.
    pub request: Option<Form>,
    /// The ping.
    pub ping: Option<String>,
    /// What shows a token.
    pub authenticate: Option<Form>,
    /// The `staleness.staleAfter` of a server that is expected to talk.
    pub stale_after: Option<Millis>,
    /// The name of the code that stands between this template and the server.
    pub code: Option<String>,
}

/// The template that the word `json` stands for.
const JSON: &str = include_str!("json.json");

/// Servers that speak it are expected to talk.
const JSON_STALE_AFTER: Millis = Millis::from_millis(120_000);

/// Longest text of a template, in bytes.
const LONGEST: usize = 64 << 10;
/// Pointers that rules may have: a walk has a bit for each.
const MOST_POINTERS: usize = 64;

impl Template {
    /// The template in the JSON text of an option: a word, or all of it. Nothing for `"raw"`.
    pub fn named(subprotocol: &str) -> Result<Option<Self>, TemplateError> {
        match text_of(subprotocol).as_deref() {
            Some("raw") => Ok(None),
            Some("json") => Ok(Some(Self {
                stale_after: Some(JSON_STALE_AFTER),
                ..Self::parse(JSON)?
            })),
            Some(name) => Err(TemplateError::new("is not known").about(name)),
            None => Self::parse(subprotocol).map(Some),
        }
    }

    /// The template of a subprotocol in code. What the hub says and hears is `json`; the code translates. It says for itself whether
    /// it has pings, and whether its server is expected to talk.
    pub fn of_code(name: &str) -> Result<Self, TemplateError> {
        Ok(Self {
            code: Some(name.into()),
            ping: None,
            ..Self::parse(JSON)?
        })
    }

    fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > LONGEST {
            return Err(TemplateError::new("is longer than 64 KiB"));
        }
        let mut template = Self::default();
        for (name, value) in object(text)? {
            match &*name {
                "receive" => template.read_each(value, Self::read_rule),
                "send" => template.read_each(value, Self::read_form),
                _ => Err(TemplateError::new("is not known")),
            }
            .map_err(|error| error.under(&name))?;
        }
        template.check()?;
        if template.resume.is_none() {
            // Nobody asks for them, and what is not read costs nothing.
            for rule in &mut template.rules {
                rule.more = rule.more.filter(|_| rule.kind == Kind::Reconnect);
            }
        }
        Ok(template)
    }

    fn read_each(
        &mut self,
        text: &str,
        read: fn(&mut Self, &str, &str) -> Result<(), TemplateError>,
    ) -> Result<(), TemplateError> {
        for (name, value) in object(text)? {
            read(self, &name, value).map_err(|error| error.under(&name))?;
        }
        Ok(())
    }

    fn read_rule(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        let (kind, required, known): (_, &[&str], &[&str]) = match name {
            "message" => (Kind::Message, &["topic"], &["topic", "data", "position"]),
            "answer" => (
                Kind::Answer,
                &["id"],
                &["id", "data", "error", "position", "recovered"],
            ),
            "pong" => (Kind::Pong, &["when"], &[]),
            "reconnect" => (Kind::Reconnect, &["when"], &["delay"]),
            _ => return Err(TemplateError::new("is not known")),
        };
        let mut rule = Rule::new(kind);
        let given = object(text)?;
        for name in required {
            if !given.iter().any(|(own, _)| own == name) {
                return Err(TemplateError::new("is missing").under(name));
            }
        }
        for (name, value) in given {
            if name == "when" {
                self.read_tests(&mut rule, value)
            } else if known.contains(&&*name) {
                self.read_field(&mut rule, &name, value)
            } else {
                Err(TemplateError::new("is not known"))
            }
            .map_err(|error| error.under(&name))?;
        }
        self.rules.push(rule);
        Ok(())
    }

    fn read_tests(&mut self, rule: &mut Rule, text: &str) -> Result<(), TemplateError> {
        for (way, value) in object(text)? {
            let test =
                Test::parse(value).ok_or(TemplateError::new("is neither text, number nor word"));
            let slot = self.slot(&way);
            let read = slot.and_then(|slot| test.map(|test| (slot, test)));
            rule.when.push(read.map_err(|error| error.under(&way))?);
        }
        Ok(())
    }

    fn read_field(
        &mut self,
        rule: &mut Rule,
        name: &str,
        value: &str,
    ) -> Result<(), TemplateError> {
        let way = text_of(value).ok_or(TemplateError::new("is no JSON Pointer"))?;
        if name == "data" {
            // Tabs follow it.
            let wrong = TemplateError::new("is no JSON Pointer");
            return Pointer::parse(&way).map(drop).ok_or(wrong.about(&way));
        }
        let slot = self.slot(&way)?;
        match name {
            "error" => rule.error = Some(slot),
            "recovered" => rule.recovered = Some(slot),
            "position" | "delay" => rule.more = Some(slot),
            _ => rule.key = Some(slot),
        }
        Ok(())
    }

    fn slot(&mut self, way: &str) -> Result<usize, TemplateError> {
        let pointer =
            Pointer::parse(way).ok_or(TemplateError::new("is no JSON Pointer").about(way))?;
        let slot = self.pointers.iter().position(|own| *own == pointer);
        let slot = slot.unwrap_or_else(|| {
            self.pointers.push(pointer);
            self.pointers.len() - 1
        });
        if slot < MOST_POINTERS {
            Ok(slot)
        } else {
            Err(TemplateError::new("is one pointer too many"))
        }
    }

    fn read_form(&mut self, name: &str, text: &str) -> Result<(), TemplateError> {
        let (form, known): (_, &[&str]) = match name {
            "subscribe" => (&mut self.subscribe, &["topic", "topics", "id", "token"]),
            "resume" => (
                &mut self.resume,
                &["topic", "topics", "id", "token", "position", "positions"],
            ),
            "unsubscribe" => (&mut self.unsubscribe, &["topic", "topics", "id", "token"]),
            "publish" => (&mut self.publish, &["topic", "data", "token"]),
            "request" => (&mut self.request, &["data", "id", "token"]),
            "authenticate" => (&mut self.authenticate, &["token"]),
            "ping" => {
                let frame = Form::parse(text, &[])?.fill(&super::form::Filling::default());
                // A text is sent as it is: not every ping is JSON.
                self.ping = Some(text_of(&frame).map(Into::into).unwrap_or(frame));
                return Ok(());
            }
            _ => return Err(TemplateError::new("is not known")),
        };
        *form = Some(Form::parse(text, known)?);
        Ok(())
    }

    /// The form that asks for topics: from a position on, or from now on.
    pub fn asking(&self, is_resumed: bool) -> Option<&Form> {
        if is_resumed {
            self.resume.as_ref()
        } else {
            self.subscribe.as_ref()
        }
    }

    /// Whether the server answers.
    pub fn has_answers(&self) -> bool {
        self.rules.iter().any(|rule| rule.kind == Kind::Answer)
    }

    /// Whether a frame can be known for the pong.
    pub fn has_pong(&self) -> bool {
        self.rules.iter().any(|rule| rule.kind == Kind::Pong)
    }

    /// What each part needs of the others.
    fn check(&self) -> Result<(), TemplateError> {
        let in_send = |error: TemplateError, name| error.under(name).under("send");
        let in_receive = |name| {
            TemplateError::new("is missing")
                .under(name)
                .under("receive")
        };
        let needs = |form: &Option<Form>, name, holes: &[Hole], of| match form {
            Some(form) if !holes.iter().any(|hole| form.has(hole)) => Err(in_send(
                TemplateError::new("has no placeholder").about(of),
                name,
            )),
            Some(_) | None => Ok(()),
        };
        let topics = &[Hole::Topic, Hole::Topics];
        needs(&self.subscribe, "subscribe", topics, "{topic} or {topics}")?;
        needs(&self.request, "request", &[Hole::Id], "{id}")?;
        let positions = &[Hole::Position, Hole::Positions];
        needs(
            &self.resume,
            "resume",
            positions,
            "{position} or {positions}",
        )?;
        let topics = &[Hole::Topic, Hole::Topics, Hole::Positions];
        needs(&self.resume, "resume", topics, "{topic} or {topics}")?;
        if self.request.is_some() && !self.has_answers() {
            return Err(in_receive("answer"));
        }
        let message = self.rules.iter().find(|rule| rule.kind == Kind::Message);
        if self.resume.is_some() && message.is_none_or(|rule| rule.more.is_none()) {
            return Err(in_receive("message/position"));
        }
        if self.resume.is_some() && self.subscribe.is_none() {
            return Err(in_send(TemplateError::new("is missing"), "subscribe"));
        }
        if self.subscribe.is_some() && !self.rules.iter().any(|rule| rule.kind == Kind::Message) {
            return Err(in_receive("message"));
        }
        Ok(())
    }
}

fn object(text: &str) -> Result<Vec<(std::borrow::Cow<'_, str>, &str)>, TemplateError> {
    members(text).ok_or(TemplateError::new("is no object"))
}
