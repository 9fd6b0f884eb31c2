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
            "answer" => (Kind::Answer, &["id"], &["id", "data", "error"]),
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
        let missing = |form: &Option<Form>, hole, of: &str| match form {
            Some(form) if !form.has(&hole) => {
                Err(TemplateError::new("has no placeholder").about(of))
            }
            Some(_) | None => Ok(()),
        };
        if let Some(form) = &self.subscribe
            && !form.has(&Hole::Topic)
        {
            missing(&self.subscribe, Hole::Topics, "{topic} or {topics}")
                .map_err(|error| error.under("subscribe").under("send"))?;
        }
        missing(&self.request, Hole::Id, "{id}")
            .map_err(|error| error.under("request").under("send"))?;
        if self.request.is_some() && !self.has_answers() {
            return Err(TemplateError::new("is missing")
                .under("answer")
                .under("receive"));
        }
        if self.subscribe.is_some() && !self.rules.iter().any(|rule| rule.kind == Kind::Message) {
            return Err(TemplateError::new("is missing")
                .under("message")
                .under("receive"));
        }
        Ok(())
    }
}

fn object(text: &str) -> Result<Vec<(std::borrow::Cow<'_, str>, &str)>, TemplateError> {
    members(text).ok_or(TemplateError::new("is no object"))
}
