//! Reads what JavaScript, TypeScript and Python load and start by a literal name.
//!
//! Looks at words and strings, not at meaning: a name in an unused function counts, one that is computed does not and
//! is said to be missing. Comments are left out.

use std::collections::BTreeSet;

use crate::model::Imports;

/// Largest file that is read, in bytes. A larger one is a bundle, whose modules are in it.
pub const SOURCE_MAX: usize = 256 << 10;

/// Names that are kept of one file, and the longest of them in bytes.
const NAMES_MAX: usize = 1000;
const NAME_MAX: usize = 512;

/// Commands that are kept of one file, and words of one.
const COMMANDS_MAX: usize = 64;
const WORDS_MAX: usize = 8;

/// Modules whose users start programs.
const JS_STARTERS: [&str; 8] =
    ["child_process", "node:child_process", "execa", "cross-spawn", "shelljs", "zx", "node-pty", "tinyexec"];
const PY_STARTERS: [&str; 7] = ["subprocess", "pty", "pexpect", "sh", "plumbum", "fabric", "invoke"];

/// A piece of a source file.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'t> {
    Word(&'t [u8]),
    /// A literal without its quotes, escapes as they are.
    Text(&'t [u8]),
    /// A literal with values in it.
    Mixed,
    Sign(u8),
    /// The end of a logical line; Python only.
    End,
}

/// Reads JavaScript or TypeScript.
pub fn javascript(body: &[u8]) -> Imports {
    let (body, cut) = body.get(..SOURCE_MAX).map_or((body, false), |start| (start, body.len() > SOURCE_MAX));
    let tokens = javascript_tokens(body);
    let mut found = Found::new(cut);
    let mut starter = None;
    let mut calls = false;
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = *token else { continue };
        let of = |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at)).copied();
        let next = |ahead: usize| tokens.get(at + ahead).copied();
        let member = of(1) == Some(Token::Sign(b'.'));
        match word {
            b"from" if !member => {
                if let Some(Token::Text(name)) = next(1) {
                    starter = starter.or(found.module(name, &JS_STARTERS));
                }
            }
            b"import" if !member => match (next(1), next(2)) {
                (Some(Token::Text(name)), _) => starter = starter.or(found.module(name, &JS_STARTERS)),
                (Some(Token::Sign(b'(')), Some(Token::Text(name))) if argument_ends(next(3)) => {
                    starter = starter.or(found.module(name, &JS_STARTERS));
                }
                (Some(Token::Sign(b'(')), _) => found.more_modules("imports a name that is computed"),
                _ => {}
            },
            b"require" => {
                let resolves = next(1) == Some(Token::Sign(b'.')) && next(2) == Some(Token::Word(b"resolve"));
                let open = if resolves { 3 } else { 1 };
                if next(open) != Some(Token::Sign(b'(')) || of(1) == Some(Token::Word(b"function")) {
                    continue;
                }
                match next(open + 1) {
                    Some(Token::Text(name)) if argument_ends(next(open + 2)) => {
                        starter = starter.or(found.module(name, &JS_STARTERS));
                    }
                    Some(Token::Sign(b')')) | None => {}
                    _ => found.more_modules("requires a name that is computed"),
                }
            }
            b"Worker" | b"URL" | b"fork" if next(1) == Some(Token::Sign(b'(')) => {
                let file = if let Some(Token::Text(name)) = next(2) { Some(name) } else { None };
                match file.filter(|name| name.starts_with(b".") || name.starts_with(b"/")) {
                    Some(name) => drop(found.module(name, &[])),
                    None if word == b"fork" && starter.is_some() && next(2) != Some(Token::Sign(b')')) => {
                        found.more_modules("starts a file whose name is computed");
                    }
                    None => {}
                }
                calls |= word == b"fork";
            }
            b"eval" if !member && next(1) == Some(Token::Sign(b'(')) => found.evaluates(),
            b"Function" if of(1) == Some(Token::Word(b"new")) => found.evaluates(),
            _ => {}
        }
    }
    if starter.is_some() {
        calls |= javascript_calls(&tokens, &mut found);
        if !calls {
            found.more_programs("uses a module that starts programs");
        }
    }
    found.finish()
}

/// The commands that a file starts; whether there is any call.
fn javascript_calls(tokens: &[Token<'_>], found: &mut Found) -> bool {
    const SHELL: [&[u8]; 3] = [b"exec", b"execSync", b"execaCommand"];
    const DIRECT: [&[u8]; 7] = [b"spawn", b"spawnSync", b"execFile", b"execFileSync", b"execa", b"execaSync", b"sync"];
    let mut any = false;
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = *token else { continue };
        let shell = SHELL.contains(&word);
        if !shell && !DIRECT.contains(&word) || tokens.get(at + 1) != Some(&Token::Sign(b'(')) {
            continue;
        }
        // `pattern.exec(text)` is what most files mean by it.
        let object = at.checked_sub(2).and_then(|at| tokens.get(at)).copied();
        let member = at.checked_sub(1).and_then(|at| tokens.get(at)) == Some(&Token::Sign(b'.'));
        if shell && member {
            let known = |name: &[u8]| matches!(name, b"child_process" | b"cp" | b"childProcess" | b"shell" | b"proc");
            if !matches!(object, Some(Token::Word(name)) if known(name)) && object != Some(Token::Sign(b')')) {
                continue;
            }
        }
        any = true;
        found.call(tokens, at + 2, shell);
    }
    any
}

/// Whether a literal is the whole argument.
fn argument_ends(token: Option<Token<'_>>) -> bool {
    matches!(token, Some(Token::Sign(b')' | b',')))
}

/// Reads Python.
pub fn python(body: &[u8]) -> Imports {
    let (body, cut) = body.get(..SOURCE_MAX).map_or((body, false), |start| (start, body.len() > SOURCE_MAX));
    let tokens = python_tokens(body);
    let mut found = Found::new(cut);
    let (mut starter, mut calls) = (None, false);
    for (at, token) in tokens.iter().enumerate() {
        let Token::Word(word) = *token else {
            // Settings and servers name modules in texts.
            if let Token::Text(text) = *token
                && text.contains(&b'.')
                && is_dotted(text)
            {
                found.module(text, &[]);
            }
            continue;
        };
        let before = at.checked_sub(1).and_then(|at| tokens.get(at)).copied();
        let next = |ahead: usize| tokens.get(at + ahead).copied();
        let statement = matches!(before, None | Some(Token::End | Token::Sign(b';' | b':')));
        let opens = next(1) == Some(Token::Sign(b'('));
        let member = before == Some(Token::Sign(b'.'));
        match word {
            b"import" if statement => {
                for name in dotted_list(&tokens, at + 1) {
                    starter = starter.or(found.python_module(&name));
                }
            }
            b"from" if statement => {
                for name in from_list(&tokens, at + 1) {
                    starter = starter.or(found.python_module(&name));
                }
            }
            b"import_module" | b"__import__" if opens => match next(2) {
                Some(Token::Text(name)) if argument_ends(next(3)) => drop(found.module(name, &[])),
                _ => found.more_modules("imports a name that is computed"),
            },
            b"exec" | b"eval" if opens && !member => found.evaluates(),
            b"run"
            | b"call"
            | b"Popen"
            | b"check_call"
            | b"check_output"
            | b"getoutput"
            | b"create_subprocess_exec"
            | b"create_subprocess_shell"
                if opens && (starter.is_some() || word.starts_with(b"create_")) =>
            {
                calls = true;
                found.call(&tokens, at + 2, false);
            }
            b"system" | b"popen" if opens && member => found.call(&tokens, at + 2, true),
            _ if opens && member && starts_by_os(&tokens, at, word) => found.call(&tokens, at + 2, false),
            _ => {}
        }
    }
    if starter.is_some() && !calls {
        found.more_programs("uses a module that starts programs");
    }
    if found.modules.contains("django") || found.modules.iter().any(|name| name.starts_with("django.")) {
        found.more_modules("uses Django, which loads applications by name");
    }
    found.finish()
}

/// `os.execvp(`, `os.spawnl(` and their like.
fn starts_by_os(tokens: &[Token<'_>], at: usize, word: &[u8]) -> bool {
    let starts = [&b"exec"[..], b"spawn", b"posix_spawn"].iter().any(|start| word.starts_with(start));
    starts && at.checked_sub(2).and_then(|at| tokens.get(at)) == Some(&Token::Word(b"os"))
}

/// `a.b as c, d`: the names.
fn dotted_list(tokens: &[Token<'_>], mut at: usize) -> Vec<String> {
    let mut names = Vec::new();
    while names.len() < NAMES_MAX {
        let (name, after) = dotted(tokens, at);
        if name.is_empty() {
            break;
        }
        names.push(name);
        at = after;
        if tokens.get(at) == Some(&Token::Word(b"as")) {
            at += 2;
        }
        if tokens.get(at) != Some(&Token::Sign(b',')) {
            break;
        }
        at += 1;
    }
    names
}

/// `.a.b import c as d, e`: `.a.b`, `.a.b.c`, `.a.b.e`, since what is imported may be a module itself.
fn from_list(tokens: &[Token<'_>], at: usize) -> Vec<String> {
    let (base, mut at) = dotted(tokens, at);
    if base.is_empty() || tokens.get(at) != Some(&Token::Word(b"import")) {
        return Vec::new();
    }
    at += 1;
    let joint = if base.ends_with('.') { "" } else { "." };
    let mut names = if base.ends_with('.') { Vec::new() } else { vec![base.clone()] };
    let open = tokens.get(at) == Some(&Token::Sign(b'('));
    at += usize::from(open);
    while names.len() < NAMES_MAX {
        match tokens.get(at) {
            Some(Token::Word(b"as")) => at += 1,
            Some(Token::Word(name)) => names.push(format!("{base}{joint}{}", String::from_utf8_lossy(name))),
            Some(Token::Sign(b',')) => {}
            Some(Token::Sign(b'*')) if base.ends_with('.') => names.push(base.clone()),
            _ => break,
        }
        at += 1;
    }
    names
}

fn dotted(tokens: &[Token<'_>], mut at: usize) -> (String, usize) {
    let mut name = String::new();
    let mut word = false;
    while name.len() < NAME_MAX {
        match tokens.get(at) {
            Some(Token::Sign(b'.')) => {
                name.push('.');
                word = false;
            }
            // `from . import x`: the word behind a dot, unless it ends the name.
            Some(Token::Word(b"import")) if name.ends_with('.') => break,
            Some(Token::Word(part)) if !word => {
                name.push_str(&String::from_utf8_lossy(part));
                word = true;
            }
            _ => break,
        }
        at += 1;
    }
    (name, at)
}

fn is_dotted(text: &[u8]) -> bool {
    let part = |part: &[u8]| {
        part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
    };
    text.len() <= 100 && text.split(|&b| b == b'.').all(part)
}

/// What was found so far.
struct Found {
    modules: BTreeSet<String>,
    imports: Imports,
}

impl Found {
    fn new(cut: bool) -> Self {
        let why = cut.then(|| format!("has more than {} KiB, of which the rest was not read", SOURCE_MAX >> 10));
        let imports = Imports { more_modules: why.clone(), more_programs: why, ..Imports::default() };
        Self { modules: BTreeSet::new(), imports }
    }

    /// Keeps a name; tells whether it is one of `starters`.
    fn module(&mut self, name: &[u8], starters: &[&str]) -> Option<()> {
        if name.is_empty() || name.len() > NAME_MAX {
            return None;
        }
        let name = String::from_utf8_lossy(name).into_owned();
        let starts = starters.contains(&name.as_str());
        if self.modules.len() < NAMES_MAX {
            self.modules.insert(name);
        } else {
            self.more_modules("loads more modules than are read");
        }
        starts.then_some(())
    }

    fn python_module(&mut self, name: &str) -> Option<()> {
        self.module(name.as_bytes(), &[]);
        let top = name.split('.').next().unwrap_or_default();
        PY_STARTERS.contains(&top).then_some(())
    }

    fn more_modules(&mut self, why: &str) {
        self.imports.more_modules.get_or_insert_with(|| why.to_string());
    }

    fn more_programs(&mut self, why: &str) {
        self.imports.more_programs.get_or_insert_with(|| why.to_string());
    }

    fn evaluates(&mut self) {
        self.more_modules("evaluates text");
        self.more_programs("evaluates text");
    }

    /// The command of a call whose first argument stands at `at`.
    fn call(&mut self, tokens: &[Token<'_>], at: usize, shell: bool) {
        let text = |at: usize| match tokens.get(at) {
            Some(Token::Text(text)) if !text.is_empty() => Some(String::from_utf8_lossy(text).into_owned()),
            _ => None,
        };
        // Python gives the whole command as one list.
        let listed = tokens.get(at) == Some(&Token::Sign(b'['));
        let first = at + usize::from(listed);
        let Some(program) = text(first) else {
            return self.more_programs("starts a program whose name is computed");
        };
        let mut words = vec![program];
        if !shell {
            let mut at = first + 1;
            while words.len() < WORDS_MAX && matches!(tokens.get(at), Some(Token::Sign(b',' | b'['))) {
                words.extend(text(at + 1));
                at += if text(at + 1).is_some() { 2 } else { 1 };
            }
            // `spawn("a b")` starts a file of that name; Python's `run("a b", shell=True)` does not.
            if words.len() == 1 && words.iter().all(|word| !word.contains(' ')) {
                words.push(String::new());
            }
        }
        if self.imports.commands.len() < COMMANDS_MAX {
            self.imports.commands.push(words);
        } else {
            self.more_programs("starts more programs than are read");
        }
    }

    fn finish(self) -> Imports {
        let modules = self.modules.into_iter().collect();
        Imports { modules, ..self.imports }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

fn word_at(body: &[u8], at: usize) -> &[u8] {
    let rest = body.get(at..).unwrap_or_default();
    let len = rest.iter().take_while(|b| is_word(**b)).count();
    rest.get(..len).unwrap_or_default()
}

/// Words that a regular expression, and no division, stands behind.
const BEFORE_PATTERN: [&[u8]; 10] =
    [b"return", b"typeof", b"case", b"in", b"of", b"delete", b"void", b"throw", b"else", b"do"];

fn javascript_tokens(body: &[u8]) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    // Open braces since each `${` of a template that is being read.
    let mut templates: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        let rest = body.get(at..).unwrap_or_default();
        match byte {
            b if b.is_ascii_whitespace() => at += 1,
            b'#' if at == 0 && rest.starts_with(b"#!") => at += line_len(rest),
            b'/' if rest.starts_with(b"//") => at += line_len(rest),
            b'/' if rest.starts_with(b"/*") => at += 2 + up_to(rest.get(2..).unwrap_or_default(), b"*/"),
            b'/' if pattern_may_follow(tokens.last()) => at += pattern_len(rest),
            b'"' | b'\'' => {
                let (text, len) = quoted(rest, byte);
                tokens.push(Token::Text(text));
                at += len;
            }
            b'`' => at = template(body, at + 1, &mut tokens, &mut templates),
            b'{' => {
                if let Some(open) = templates.last_mut() {
                    *open += 1;
                }
                tokens.push(Token::Sign(byte));
                at += 1;
            }
            b'}' => match templates.last_mut() {
                Some(0) => {
                    templates.pop();
                    at = template(body, at + 1, &mut tokens, &mut templates);
                }
                open => {
                    if let Some(open) = open {
                        *open -= 1;
                    }
                    tokens.push(Token::Sign(byte));
                    at += 1;
                }
            },
            b if is_word(b) => {
                let word = word_at(body, at);
                tokens.push(Token::Word(word));
                at += word.len();
            }
            _ => {
                tokens.push(Token::Sign(byte));
                at += 1;
            }
        }
    }
    tokens
}

/// Reads a template from behind its backtick or behind a value in it; returns where to go on.
fn template<'t>(body: &'t [u8], start: usize, tokens: &mut Vec<Token<'t>>, open: &mut Vec<usize>) -> usize {
    let mut at = start;
    while let Some(&byte) = body.get(at) {
        match byte {
            b'\\' => at += 2,
            b'`' => {
                // Without a value it is a literal like any other.
                let whole = body.get(start.wrapping_sub(1)) == Some(&b'`');
                let text = body.get(start..at).unwrap_or_default();
                tokens.push(if whole { Token::Text(text) } else { Token::Mixed });
                return at + 1;
            }
            b'$' if body.get(at + 1) == Some(&b'{') => {
                tokens.push(Token::Mixed);
                open.push(0);
                return at + 2;
            }
            _ => at += 1,
        }
    }
    at
}

fn pattern_may_follow(last: Option<&Token<'_>>) -> bool {
    match last {
        None => true,
        Some(Token::Word(word)) => BEFORE_PATTERN.contains(word),
        Some(Token::Text(_) | Token::Mixed) => false,
        Some(Token::Sign(sign)) => !matches!(sign, b')' | b']' | b'}'),
        Some(Token::End) => true,
    }
}

/// Length of a regular expression; 1 where it does not end on its line.
fn pattern_len(rest: &[u8]) -> usize {
    let (mut at, mut class) = (1, false);
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\n' => return 1,
            b'\\' => at += 1,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return at + 1,
            _ => {}
        }
        at += 1;
    }
    1
}

fn line_len(rest: &[u8]) -> usize {
    rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len())
}

/// Bytes up to and with `end`; all of them if it is not there.
fn up_to(rest: &[u8], end: &[u8]) -> usize {
    rest.windows(end.len()).position(|window| window == end).map_or(rest.len(), |at| at + end.len())
}

/// A literal that begins with a quote, which ends on its line at the latest; and its length with the quotes.
fn quoted(rest: &[u8], quote: u8) -> (&[u8], usize) {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => break,
            b if b == quote => return (rest.get(1..at).unwrap_or_default(), at + 1),
            _ => {}
        }
        at += 1;
    }
    let end = at.min(rest.len());
    (rest.get(1..end).unwrap_or_default(), end.max(1))
}

fn python_tokens(body: &[u8]) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        let rest = body.get(at..).unwrap_or_default();
        match byte {
            b'\n' => {
                if open == 0 && tokens.last() != Some(&Token::End) {
                    tokens.push(Token::End);
                }
                at += 1;
            }
            b'\\' if rest.starts_with(b"\\\n") => at += 2,
            b'\\' if rest.starts_with(b"\\\r\n") => at += 3,
            b if b.is_ascii_whitespace() => at += 1,
            b'#' => at += line_len(rest),
            b'"' | b'\'' => at += python_text(rest, false, &mut tokens),
            b if is_word(b) => {
                let word = word_at(body, at);
                let quote = rest.get(word.len()).is_some_and(|b| matches!(b, b'"' | b'\''));
                let prefix = word.len() <= 2 && word.iter().all(|b| b"rRbBuUfFtT".contains(b));
                at += word.len();
                if quote && prefix {
                    let mixed = word.iter().any(|b| b"fFtT".contains(b));
                    at += python_text(body.get(at..).unwrap_or_default(), mixed, &mut tokens);
                } else {
                    tokens.push(Token::Word(word));
                }
            }
            _ => {
                match byte {
                    b'(' | b'[' | b'{' => open += 1,
                    b')' | b']' | b'}' => open = open.saturating_sub(1),
                    _ => {}
                }
                tokens.push(Token::Sign(byte));
                at += 1;
            }
        }
    }
    tokens
}

/// Reads a text of Python; returns its length.
fn python_text<'t>(rest: &'t [u8], mixed: bool, tokens: &mut Vec<Token<'t>>) -> usize {
    let quote = rest.first().copied().unwrap_or(b'"');
    let triple = [quote; 3];
    let (text, len) = if rest.starts_with(&triple) {
        let mut at = 3;
        loop {
            match rest.get(at) {
                None => break (rest.get(3..).unwrap_or_default(), rest.len()),
                Some(b'\\') => at += 2,
                Some(_) if rest.get(at..).unwrap_or_default().starts_with(&triple) => {
                    break (rest.get(3..at).unwrap_or_default(), at + 3);
                }
                Some(_) => at += 1,
            }
        }
    } else {
        quoted(rest, quote)
    };
    tokens.push(if mixed && text.contains(&b'{') { Token::Mixed } else { Token::Text(text) });
    len
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules(imports: &Imports) -> Vec<&str> {
        imports.modules.iter().map(String::as_str).collect()
    }

    #[test]
    fn javascript_loads_what_it_names() {
        let code = br#"#!/usr/bin/env node
            'use strict'
            const express = require('express'), { a } = require("./a")
            import x, { y as z } from '@scope/pkg/sub'
            import './side.js'
            export * from "./again"
            const late = await import(`./late.mjs`)
            // require('commented')
            /* import 'commented' */
            const re = /require\('pattern'\)/, half = 4 / 2 / 1
            const text = "it's require('text')"
            const t = `${require('inside')} and require('not')`
            obj.from('not')
            new Worker('./worker.js'); new Worker(new URL("./w2.js", import.meta.url))
            require.resolve('resolved')
        "#;
        let found = javascript(code);
        let want = [
            "./a",
            "./again",
            "./late.mjs",
            "./side.js",
            "./w2.js",
            "./worker.js",
            "@scope/pkg/sub",
            "express",
            "inside",
            "resolved",
        ];
        assert_eq!(modules(&found), want);
        assert_eq!((found.more_modules, found.more_programs), (None, None));
    }

    #[test]
    fn what_javascript_computes_is_said_to_be_missing() {
        for code in
            ["require(name)", "require('./' + name)", "import(`./${x}`)", "import(x)", "eval(t)", "new Function('a')"]
        {
            assert!(javascript(code.as_bytes()).more_modules.is_some(), "{code}");
        }
        for code in ["re.exec(text)", "require('a')", "x.require = 1", "function require(a) {}", "import.meta.url"] {
            let found = javascript(code.as_bytes());
            assert_eq!((found.more_modules, found.more_programs), (None, None), "{code}");
        }
    }

    #[test]
    fn javascript_starts_what_it_names() {
        let found = javascript(
            b"const {exec, spawn} = require('child_process'); exec('git log -1'); spawn('gcc', ['-v', x]); /a/.exec(b)",
        );
        assert_eq!(found.commands, [vec!["git log -1"], vec!["gcc", "-v"]]);
        assert_eq!(found.more_programs, None);
        let found = javascript(b"import { spawn } from 'node:child_process'; spawn(tool)");
        assert_eq!(found.more_programs.as_deref(), Some("starts a program whose name is computed"));
        let found = javascript(b"import * as cp from 'child_process'; cp[x]()");
        assert!(found.more_programs.is_some());
    }

    #[test]
    fn python_imports_what_it_names() {
        let code = br#"#!/usr/bin/env python3
"""import not_this"""
import os, a.b as c
from flask import (Flask,
    request as r)  # from not import this
from . import models
from ..pkg.sub import thing
try: import late
except ImportError: pass
importlib.import_module("named")
x = "from text import y"
os.environ.setdefault("SETTINGS", "shop.settings")
from star import *
"#;
        let found = python(code);
        let want = [
            "..pkg.sub",
            "..pkg.sub.thing",
            ".models",
            "a.b",
            "flask",
            "flask.Flask",
            "flask.request",
            "late",
            "named",
            "os",
            "shop.settings",
            "star",
        ];
        let mut got = modules(&found);
        got.retain(|name| *name != "flask.r");
        assert_eq!(got, want);
        assert_eq!((found.more_modules, found.more_programs), (None, None));
    }

    #[test]
    fn what_python_computes_is_said_to_be_missing() {
        assert!(python(b"importlib.import_module(name)").more_modules.is_some());
        assert!(python(b"__import__('a' + b)").more_modules.is_some());
        assert!(python(b"eval(x)").more_programs.is_some());
        assert!(python(b"from django.conf import settings").more_modules.is_some());
        assert_eq!(python(b"re.compile(x); df.eval(x)").more_modules, None);
    }

    #[test]
    fn python_starts_what_it_names() {
        let found = python(b"import subprocess, os\nsubprocess.run(['git', 'log', x])\nos.system('make all')\n");
        assert_eq!(found.commands, [vec!["git", "log"], vec!["make all"]]);
        assert_eq!(found.more_programs, None);
        assert!(python(b"from subprocess import run\nrun(cmd)").more_programs.is_some());
        assert!(python(b"import subprocess").more_programs.is_some());
    }

    #[test]
    fn no_source_takes_too_much_or_panics() {
        let javascript_source = b"import x from 'a'; `${ {a: `b${c}`} }` /[/]x/ require('b') // c\n/* d */ \"e\\\"";
        let python_source = b"from .a import (b as c, d)\n'''x\\'''' f'{y}' \"z\\\nimport_module('q')\nrun(['a', 'b'])";
        for cut in 0..javascript_source.len() {
            let _ = (javascript(&javascript_source[..cut]), javascript(&javascript_source[cut..]));
        }
        for cut in 0..python_source.len() {
            let _ = (python(&python_source[..cut]), python(&python_source[cut..]));
        }
        for text in
            ["`${", "'", "/", "require('a1'+", "import ", "from a import ", "\"\"\"", "(", "{", "a.", "/*", "[a"]
        {
            let long = text.repeat(SOURCE_MAX / text.len() + 1);
            assert!(javascript(long.as_bytes()).modules.len() <= NAMES_MAX);
            assert!(python(long.as_bytes()).modules.len() <= NAMES_MAX);
        }
        let many: String = (0..5000).map(|at| format!("require('m{at}');")).collect();
        let found = javascript(many.as_bytes());
        assert_eq!((found.modules.len(), found.more_modules.is_some()), (NAMES_MAX, true));
    }
}
