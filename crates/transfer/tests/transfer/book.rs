//! The plans on the page of the book that describes plans can be read, and change agents.

use crate::common::{config, learner, sources};
use dreamer::Learner;
use transfer::{Fraction, Plan, Preset, Take, resolve, target_config};

const BOOK: &str = include_str!("../../../../docs/transfer-reference.md");

/// The book's plans, resolved against agents of its sources' names.
fn reports() -> Vec<transfer::Report> {
    let blocks = BOOK.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let resolved = blocks.map(|text| {
        let plan = Plan::parse(text, "the book").unwrap_or_else(|error| panic!("{error}\n{text}"));
        let encoder: Learner<f32> = learner(&config(), 6, 1);
        // All of them have the same encoder, as the sources of a meta-model must.
        let named: Vec<(&str, &Learner<f32>)> = plan.sources().keys().map(|name| (name.as_str(), &encoder)).collect();
        let from = sources(&named);
        let target = learner(&target_config(&plan, &config(), &from).unwrap(), 3, 2);
        resolve(&plan, &target, &from).unwrap_or_else(|error| panic!("{error}\n{text}")).report().clone()
    });
    resolved.collect()
}

#[test]
fn the_plans_of_the_page_do_what_it_describes() {
    let [first, second] = &reports()[..] else { panic!("the book has two plans") };
    let part = |path: &str| first.parts.iter().find(|part| part.path == path).unwrap();
    assert!(part("world_model.encoder.h1.bias").frozen);
    assert_eq!(part("world_model.rssm.gru.kernel").from[0].source, "walkers");
    let shares: Vec<f64> = part("value.hout.bias").from.iter().map(|given| given.share).collect();
    assert_eq!((part("value.hout.bias").take, shares), (Take::Fraction(Fraction::Of(0.2)), vec![1.0 / 3.0, 2.0 / 3.0]));
    let meta_model = second.meta_model.as_ref().unwrap();
    assert_eq!((meta_model.sources.join(" "), meta_model.layers), ("walker2d half_cheetah".to_owned(), 1));
}

#[test]
fn the_book_names_every_preset_and_every_key() {
    for preset in Preset::ALL {
        assert!(BOOK.contains(&format!("| `{}` |", preset.name())), "{}", preset.name());
    }
    for key in ["match", "rows", "take", "source", "sources"] {
        assert!(BOOK.contains(&format!("| `{key}` |")), "{key}");
    }
    for flag in ["rest = true", "optional = true", "misfit = \"random\"", "frozen = true", "any_encoder = true"] {
        assert!(BOOK.contains(&format!("`{flag}`")), "{flag}");
    }
}
