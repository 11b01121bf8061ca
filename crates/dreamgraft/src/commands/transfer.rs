//! `dreamgraft transfer plan`, a preview of a transfer, and `dreamgraft transfer preset`, the text of a built-in plan.

use crate::args::transfer::{TransferPlan, TransferPreset};
use crate::exit::{Exit, Failure};
use crate::{origin, print, request};
use environment::Catalogue;
use transfer::Preset;

/// Prints a plan that comes with the program.
///
/// # Errors
/// If there is no such plan, or stdout cannot be written.
pub fn transfer_preset(typed: &TransferPreset) -> Result<Exit, Failure> {
    let unknown = || {
        let all = Preset::ALL.map(Preset::name).join(", ");
        let like = wording::did_you_mean(Preset::nearest(&typed.name));
        Failure::Arguments(format!("plan {:?} does not exist{like} The plans are {all}", typed.name))
    };
    let preset = Preset::named(&typed.name).ok_or_else(unknown)?;
    Ok(print::done(print::text(preset.text().trim_end()))?)
}

/// Prints which parameters a new agent would receive from earlier ones.
///
/// # Errors
/// If the arguments, the plan or a source cannot be used.
pub fn transfer_plan(catalogue: &dyn Catalogue, typed: &TransferPlan) -> Result<Exit, Failure> {
    let request = request::of_settings(&typed.settings, None, &typed.origin)?;
    let config = request.configuration()?;
    let plan = request.plan()?.ok_or_else(|| {
        Failure::Arguments("there is nothing to transfer; give --from, --plan or --universal".to_owned())
    })?;
    let report = train::preview(catalogue, &config, &plan).map_err(|error| origin::with_preset(error, &request))?;
    let mut text = if typed.json { report.to_json() } else { report.to_string() };
    for note in report.own_tasks(&config.tasks) {
        if typed.json {
            print::note(&note);
        } else {
            text.push_str(&format!("note: {note}\n"));
        }
    }
    Ok(print::done(print::text(text.trim_end()))?)
}
