//! What a key does.

use std::time::Duration;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use timeline::cable::{Action, Side};

use super::{Board, Mode, PACES, Place, Row, Told};
use crate::command::Command;
use crate::prompt::{Prompt, Question};

impl Board {
    /// A key was pressed. What is to be done comes with the next tick.
    pub fn key(&mut self, key: KeyEvent, now: Duration) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        self.changes += 1;
        self.told = None;
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        if control && key.code == KeyCode::Char('c') {
            self.commands.push(Command::Quit);
        } else if self.prompt.is_some() {
            self.type_into_prompt(key.code, control);
        } else if self.help {
            self.help = false;
        } else if !control {
            self.press(key.code, now);
        }
    }

    /// Text was pasted: it goes into a prompt, and is never taken for keys.
    pub fn paste(&mut self, text: &str) {
        self.changes += 1;
        match &mut self.prompt {
            Some(prompt) => prompt.push(text),
            None => self.refuse("what was pasted was left out: press a key that asks first"),
        }
    }

    /// The size of the screen is another one.
    pub fn resized(&mut self) {
        self.changes += 1;
    }

    fn press(&mut self, key: KeyCode, now: Duration) {
        match key {
            KeyCode::Char('q') => self.commands.push(Command::Quit),
            KeyCode::Char('?' | 'h') => self.help = true,
            KeyCode::Char('r') => self.go_over_to(Mode::Run, now),
            KeyCode::Char('m') => self.go_over_to(Mode::Slow, now),
            KeyCode::Char('s') => self.go_over_to(Mode::Step, now),
            KeyCode::Char('+' | '=') => self.change_pace(1, now),
            KeyCode::Char('-') => self.change_pace(-1, now),
            KeyCode::Up | KeyCode::Char('k') => self.choose(-1),
            KeyCode::Down | KeyCode::Char('j') => self.choose(1),
            KeyCode::Esc | KeyCode::End => (self.chosen, self.top) = (None, None),
            KeyCode::PageDown => self.turn(1),
            KeyCode::PageUp => self.turn(-1),
            KeyCode::Char(' ') | KeyCode::Enter => self.let_through(),
            KeyCode::Char('d') => self.on_waiting(Action::Drop),
            KeyCode::Char('2') => self.on_waiting(Action::Double),
            KeyCode::Char('x') => self.swap_with_next(),
            KeyCode::Char('e') => self.ask_about_waiting(|row| Question::Delay(row.frame)),
            KeyCode::Char('b') => self.ask_about_waiting(which_bit),
            KeyCode::Char('c') => self.cut_or_mend(),
            KeyCode::Char('l') => self.ask(Question::Latency),
            KeyCode::Char('o') => self.ask(Question::Loss),
            KeyCode::Char('a') => self.ask(Question::Rate),
            KeyCode::Char('i') => self.ask_for_line(),
            KeyCode::Char(other) => {
                let text = format!("{other} is no key here: ? shows all keys");
                self.refuse(&text);
            }
            _ => {}
        }
    }

    pub(super) fn go_over_to(&mut self, mode: Mode, now: Duration) {
        if self.finished {
            return self.refuse("the programs have ended: nothing crosses the cable any more");
        }
        self.mode = mode;
        self.since = now;
        if mode == Mode::Run {
            for frame in self.packets.waiting.clone() {
                self.packets.decided(frame);
            }
        }
        self.commands.push(Command::Hold(mode != Mode::Run));
    }

    fn change_pace(&mut self, by: isize, now: Duration) {
        if self.mode != Mode::Slow {
            return self.refuse("the pace is that of slow motion: press m first");
        }
        let pace = self.pace.saturating_add_signed(by).min(PACES.len() - 1);
        self.pace = pace;
        // Packets on their way begin it anew, so that none jumps.
        self.since = now;
    }

    fn choose(&mut self, by: isize) {
        let frames: Vec<u64> = self.packets.frames().collect();
        let Some(current) = self.current().map(|row| row.frame) else {
            return self.refuse("there is no packet yet");
        };
        let at = frames.iter().position(|frame| *frame == current);
        let next = at.unwrap_or(0).saturating_add_signed(by);
        let next = frames.get(next).or(frames.last()).copied();
        (self.chosen, self.top) = (next, None);
    }

    /// Turns the bytes of the packet by a row.
    fn turn(&mut self, by: isize) {
        let Some(row) = self.current() else { return };
        let last = row.packet.bytes.len().saturating_sub(1) / Row::WIDTH;
        let top = self.top.unwrap_or(row.data_at() / Row::WIDTH);
        self.top = Some(top.saturating_add_signed(by).min(last));
    }

    /// The chosen packet if it waits, else the oldest that does.
    fn let_through(&mut self) {
        let chosen = self
            .current()
            .filter(|row| row.waits())
            .map(|row| row.frame);
        match chosen.or(self.packets.waiting.front().copied()) {
            Some(frame) => {
                self.chosen = None;
                self.decide(frame, Action::Pass);
            }
            None => self.refuse(self.why_nothing_waits()),
        }
    }

    fn on_waiting(&mut self, what: Action) {
        if let Some(frame) = self.waiting_one() {
            self.decide(frame, what);
        }
    }

    /// At once if the next one waits, too; else when it comes.
    fn swap_with_next(&mut self) {
        let Some(frame) = self.waiting_one() else {
            return;
        };
        match self.packets.next_after(frame) {
            Some(next) => self.swap(frame, next),
            None => {
                let row = self.packets.row_mut(frame);
                row.into_iter().for_each(|row| row.swaps = true);
                self.tell("it waits for the next one of its direction, and goes behind it");
            }
        }
    }

    /// Lets both go, the later one first.
    pub(super) fn swap(&mut self, frame: u64, next: u64) {
        self.decide(frame, Action::Swap);
        self.decide(next, Action::Pass);
    }

    fn ask_about_waiting(&mut self, question: impl Fn(&Row) -> Question) {
        let frame = self.waiting_one();
        let row = frame.and_then(|frame| self.packets.row(frame));
        self.prompt = row.map(|row| Prompt::new(question(row)));
    }

    /// The chosen packet, if anything can be done with it; else it is said why not.
    fn waiting_one(&mut self) -> Option<u64> {
        let why = match (self.current(), self.chosen) {
            (Some(row), _) if row.waits() => return Some(row.frame),
            (Some(row), Some(_)) => {
                let is = match row.place {
                    Place::Lost => "is lost already",
                    Place::Arrived { .. } => "has arrived already",
                    _ => "is on its way already",
                };
                format!("packet {} {is}", row.frame)
            }
            _ => self.why_nothing_waits().to_string(),
        };
        self.refuse(&why);
        None
    }

    fn why_nothing_waits(&self) -> &'static str {
        match self.mode {
            _ if self.is_over() => "the programs have ended: q leaves",
            Mode::Step => "nothing waits: the programs send nothing now",
            _ => "nothing waits: press s, then each packet waits for you",
        }
    }

    /// Says what becomes of a packet that waits, and of its copies: when it
    /// arrives, they are not needed; when it does not, the next one waits.
    pub(super) fn decide(&mut self, frame: u64, what: Action) {
        let Some(row) = self.packets.row_mut(frame).filter(|row| row.waits()) else {
            return self.refuse("it does not wait any more");
        };
        if let Action::Delay(time) = what {
            row.asked = Some(time);
        }
        self.packets.decided(frame);
        self.commands.push(Command::Decide(frame, what));
        if !matches!(what, Action::Drop | Action::Corrupt(_)) {
            let copies = self.packets.take_copies(frame).into_iter();
            let drop = |copy| Command::Decide(copy, Action::Drop);
            self.commands.extend(copies.map(drop));
        }
        self.packets.unfold(frame);
    }

    fn cut_or_mend(&mut self) {
        self.cut = !self.cut;
        self.commands.push(Command::Cut(self.cut));
    }

    fn ask(&mut self, question: Question) {
        self.prompt = Some(Prompt::new(question));
    }

    fn ask_for_line(&mut self) {
        let client = &self.hosts[Side::Client as usize];
        match client.running {
            0 => self.refuse("no client program runs that could read a line"),
            _ => self.ask(Question::Say),
        }
    }

    fn type_into_prompt(&mut self, key: KeyCode, control: bool) {
        let Some(prompt) = &mut self.prompt else {
            return;
        };
        match key {
            KeyCode::Char('d') if control && prompt.question == Question::Say => {
                self.commands.push(Command::EndOfInput);
                self.prompt = None;
                self.tell("the client finds the end of its input");
            }
            KeyCode::Char('u') if control => prompt.typed.clear(),
            KeyCode::Char(character) if !control => prompt.push(&character.to_string()),
            KeyCode::Backspace => prompt.delete(),
            KeyCode::Esc => self.prompt = None,
            KeyCode::Enter => match prompt.answer() {
                Ok(command) => self.answered(command),
                Err(sentence) => self.refuse(&sentence),
            },
            _ => {}
        }
    }

    fn answered(&mut self, command: Command) {
        self.prompt = None;
        let both = &mut self.lines;
        match &command {
            Command::Decide(frame, what) => return self.decide(*frame, *what),
            Command::Latency(latency) => both.iter_mut().for_each(|it| it.latency = *latency),
            Command::Loss(loss) => both.iter_mut().for_each(|it| it.loss = *loss),
            Command::Rate(rate) => both.iter_mut().for_each(|it| it.rate = *rate),
            _ => {}
        }
        self.commands.push(command);
    }

    fn tell(&mut self, text: &str) {
        self.say(text, false);
    }

    /// Says why something is not done.
    pub(crate) fn refuse(&mut self, text: &str) {
        self.changes += 1;
        self.say(text, true);
    }

    fn say(&mut self, text: &str, refused: bool) {
        let (text, since) = (text.to_string(), None);
        self.told = Some(Told {
            text,
            refused,
            since,
        });
    }
}

/// The lowest bit of the first byte of data, or of the last byte there is.
fn which_bit(row: &Row) -> Question {
    let length = row.packet.length.max(1);
    let byte = (row.data_at() as u32).min(length - 1);
    Question::Bit {
        frame: row.frame,
        bits: length * 8,
        proposed: byte * 8 + 7,
    }
}
