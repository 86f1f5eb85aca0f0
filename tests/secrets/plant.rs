//! Plants tokens of every kind in every sort of file.

use crate::{
    carriers::{CARRIERS, Carrier, WISHES},
    chance::Chance,
    kinds::{ANY, KINDS, Kind, Reach, is_low},
    token::Token,
    tree::{Expect, Tree},
};

/// Files for each kind. Over all kinds, every carrier comes up many times.
const SAMPLES: usize = 12;

pub fn plant(tree: &mut Tree, chance: &Chance) {
    for kind in KINDS {
        let mut chance = chance.branch(kind.templates[0]);
        let mut carriers: Vec<&Carrier> = CARRIERS.iter().filter(|carrier| fits(kind, carrier)).collect();
        chance.shuffle(&mut carriers);
        for (at, carrier) in carriers.iter().cycle().take(SAMPLES).enumerate() {
            one(tree, &mut chance, kind, carrier, at);
        }
        if kind.reach == Reach::Every {
            let wish = chance.pick(WISHES);
            one(tree, &mut chance, kind, wish, 0).counts = false;
        }
    }
}

fn fits(kind: &Kind, carrier: &Carrier) -> bool {
    match kind.reach {
        Reach::Every => true,
        // Escapes and colours end in letters, as other texts do.
        Reach::Apart => {
            carrier.for_reach != Reach::Every && !["log-coloured", "json-line-break"].contains(&carrier.name)
        }
        Reach::Text => matches!(carrier.for_reach, Reach::Text | Reach::Settings),
        Reach::Settings => carrier.for_reach == Reach::Settings,
    }
}

fn one<'t>(
    tree: &'t mut Tree,
    chance: &mut Chance,
    kind: &Kind,
    carrier: &Carrier,
    at: usize,
) -> &'t mut crate::tree::Label {
    let token = Token::make(kind.templates[at % kind.templates.len()], chance);
    let names = if kind.names.is_empty() { ANY } else { kind.names };
    let name = names[chance.below(names.len())];
    let made = carrier.make(chance, name, &token.text);
    let path = format!("{}/{}", tree.dir(), made.name);
    tree.tokens.push(token);
    let label = tree.secret(kind.rule, &path, made.bytes, if is_low(kind.rule) { Expect::Note } else { Expect::Alarm });
    label.line = made.line;
    label.carrier = carrier.name.into();
    label
}
