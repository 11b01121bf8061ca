//! Published numbers: Sasso, Sabatelli and Wiering, "Multi-Source Transfer Learning for Deep Model-Based Reinforcement
//! Learning" (2022), Tables 1, 2, 4, 6 and 7: mean and standard deviation of overall episode returns over runs of 1e6
//! environment steps.
//!
//! Not here: Tables 3, 5 and 8, whose numbers were not at hand.

/// A number that was published.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// The table.
    pub table: &'static str,
    /// Runs that it is of.
    pub seeds: u32,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
}

/// Mean and standard deviation.
type Number = (f64, f64);

/// Fractions 0.0, 0.1, ... 0.5, with 2, 3 and 4 sources.
struct Fractions {
    table: &'static str,
    rows: [[Number; 3]; 6],
}

/// The published results of a task.
struct Task {
    name: &'static str,
    /// As the tables call it.
    title: &'static str,
    /// Table 1: the first two, three, and all four.
    sources: [&'static str; 4],
    /// Table 2: fractional 0.2, meta-model, baseline.
    four_sources: [Number; 3],
    /// Table 4: fractional 0.2 with 2 and 3 sources, meta-model with 2 and 3, baseline.
    fewer_sources: [Number; 5],
    /// Tables 6 and 7.
    fractions: Option<Fractions>,
}

const TASKS: [Task; 6] = [
    Task {
        name: "half-cheetah",
        title: "HalfCheetah",
        sources: ["hopper", "ant", "walker2d", "inverted-pendulum-swingup"],
        four_sources: [(1490.0, 441.0), (1882.0, 390.0), (1199.0, 558.0)],
        fewer_sources: [(1982.0, 838.0), (1967.0, 862.0), (2057.0, 851.0), (2078.0, 721.0), (1681.0, 726.0)],
        fractions: Some(Fractions {
            table: "Table 6",
            rows: [
                [(1841.0, 806.0), (1752.0, 783.0), (1742.0, 777.0)],
                [(2028.0, 993.0), (2074.0, 762.0), (1500.0, 781.0)],
                [(1982.0, 838.0), (1967.0, 862.0), (1773.0, 748.0)],
                [(1899.0, 911.0), (2094.0, 859.0), (1544.0, 771.0)],
                [(2008.0, 943.0), (2015.0, 873.0), (2162.0, 789.0)],
                [(1961.0, 944.0), (1647.0, 896.0), (1635.0, 809.0)],
            ],
        }),
    },
    Task {
        name: "hopper",
        title: "Hopper",
        sources: ["half-cheetah", "walker2d", "ant", "inverted-pendulum-swingup"],
        four_sources: [(3430.0, 2654.0), (4025.0, 3404.0), (2076.0, 2417.0)],
        fewer_sources: [(1911.0, 712.0), (5538.0, 4720.0), (5085.0, 4277.0), (5019.0, 4813.0), (1340.0, 1112.0)],
        fractions: Some(Fractions {
            table: "Table 6",
            rows: [
                [(1917.0, 960.0), (1585.0, 941.0), (1263.0, 1113.0)],
                [(2041.0, 887.0), (6542.0, 4469.0), (3300.0, 3342.0)],
                [(1911.0, 712.0), (5538.0, 4720.0), (1702.0, 1078.0)],
                [(2670.0, 1789.0), (4925.0, 4695.0), (3341.0, 4609.0)],
                [(2076.0, 803.0), (2437.0, 2731.0), (1451.0, 991.0)],
                [(1975.0, 772.0), (2014.0, 2328.0), (3246.0, 3828.0)],
            ],
        }),
    },
    Task {
        name: "walker2d",
        title: "Walker2D",
        sources: ["half-cheetah", "hopper", "ant", "inverted-pendulum-swingup"],
        four_sources: [(1637.0, 2047.0), (847.0, 1533.0), (676.0, 1101.0)],
        fewer_sources: [(1009.0, 1254.0), (393.0, 813.0), (196.0, 860.0), (233.0, 823.0), (116.0, 885.0)],
        fractions: Some(Fractions {
            table: "Table 7",
            rows: [
                [(546.0, 776.0), (545.0, 1012.0), (157.0, 891.0)],
                [(360.0, 803.0), (441.0, 852.0), (478.0, 1113.0)],
                [(1009.0, 1254.0), (393.0, 813.0), (200.0, 807.0)],
                [(535.0, 914.0), (325.0, 812.0), (323.0, 818.0)],
                [(742.0, 992.0), (516.0, 1074.0), (354.0, 862.0)],
                [(352.0, 853.0), (355.0, 903.0), (396.0, 829.0)],
            ],
        }),
    },
    Task {
        name: "inverted-pendulum-swingup",
        title: "InvPend",
        sources: ["half-cheetah", "inverted-double-pendulum-swingup", "hopper", "ant"],
        four_sources: [(761.0, 68.0), (705.0, 79.0), (667.0, 121.0)],
        fewer_sources: [(874.0, 121.0), (884.0, 20.0), (731.0, 332.0), (740.0, 333.0), (723.0, 364.0)],
        fractions: None,
    },
    Task {
        name: "inverted-double-pendulum-swingup",
        title: "InvDbPend",
        sources: ["hopper", "inverted-pendulum-swingup", "walker2d", "ant"],
        four_sources: [(1235.0, 130.0), (1198.0, 100.0), (1184.0, 89.0)],
        fewer_sources: [(1209.0, 280.0), (1299.0, 254.0), (1214.0, 230.0), (1120.0, 327.0), (1194.0, 306.0)],
        fractions: None,
    },
    Task {
        name: "ant",
        title: "Ant",
        sources: ["half-cheetah", "walker2d", "hopper", "inverted-pendulum-swingup"],
        four_sources: [(681.0, 591.0), (1147.0, 922.0), (1148.0, 408.0)],
        fewer_sources: [(1124.0, 722.0), (1052.0, 687.0), (1423.0, 788.0), (1366.0, 687.0), (1589.0, 771.0)],
        fractions: Some(Fractions {
            table: "Table 7",
            rows: [
                [(1070.0, 659.0), (923.0, 559.0), (897.0, 586.0)],
                [(806.0, 469.0), (1022.0, 645.0), (834.0, 652.0)],
                [(1124.0, 722.0), (1052.0, 687.0), (898.0, 616.0)],
                [(1162.0, 824.0), (1080.0, 701.0), (905.0, 554.0)],
                [(1308.0, 735.0), (885.0, 571.0), (1022.0, 709.0)],
                [(951.0, 651.0), (932.0, 609.0), (683.0, 498.0)],
            ],
        }),
    },
];

/// The task as papers call it, or as it is called here.
pub fn title(task: &str) -> &str {
    TASKS.iter().find(|known| known.name == task).map_or(task, |known| known.title)
}

/// How many of Table 1's sources these are: 2, 3 or 4; none for any other set.
pub fn sources_of_table(task: &str, source_tasks: &[String]) -> Option<usize> {
    let task = TASKS.iter().find(|known| known.name == task)?;
    let count = source_tasks.len();
    let expected = task.sources.get(..count).filter(|_| count >= 2)?;
    expected.iter().all(|source| source_tasks.iter().any(|ours| ours == source)).then_some(count)
}

/// The published results for `method` on `task` with these sources: `baseline`, `meta-model`, `fractional-0.2` and so
/// on. A baseline does not have sources, and has two published numbers. The published meta-models read one reward model
/// per task, of as many `agents`; the published fractions are from one agent that learned all tasks.
pub fn published(task: &str, method: &str, source_tasks: &[String], agents: usize) -> Vec<Published> {
    let Some(numbers) = TASKS.iter().find(|known| known.name == task) else { return Vec::new() };
    let number = |table, seeds, (mean, deviation): Number| Published { table, seeds, mean, deviation };
    let main = |index: usize| number("Table 2", 9, numbers.four_sources[index]);
    let preliminary = |index: usize| number("Table 4", 3, numbers.fewer_sources[index]);
    if method == crate::results::BASELINE {
        return vec![main(2), preliminary(4)];
    }
    let Some(count) = sources_of_table(task, source_tasks) else { return Vec::new() };
    if agents != if method == "meta-model" { count } else { 1 } {
        return Vec::new();
    }
    if method == "meta-model" {
        return vec![if count == 4 { main(1) } else { preliminary(count) }];
    }
    let Some(fraction) = method.strip_prefix("fractional-").and_then(|text| text.parse::<f64>().ok()) else {
        return Vec::new();
    };
    let mut all = Vec::new();
    if fraction == 0.2 {
        all.push(if count == 4 { main(0) } else { preliminary(count - 2) });
    }
    // Table 4 and Tables 6 and 7 share their runs of fraction 0.2 with 2 and 3 sources.
    if let Some(fractions) = numbers.fractions.as_ref().filter(|_| fraction != 0.2 || count == 4) {
        let row = (0..fractions.rows.len()).find(|row| (fraction - 0.1 * *row as f64).abs() < 1e-9);
        all.extend(row.map(|row| number(fractions.table, 3, fractions.rows[row][count - 2])));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(tasks: &[&str]) -> Vec<String> {
        tasks.iter().map(|task| (*task).to_owned()).collect()
    }

    #[test]
    fn only_the_published_sources_have_published_numbers() {
        let four = names(&["ant", "hopper", "inverted-pendulum-swingup", "walker2d"]);
        let found = |method: &str, sources: &[String]| -> Vec<(&str, f64, f64)> {
            let agents = if method == "meta-model" { sources.len() } else { 1 };
            published("half-cheetah", method, sources, agents)
                .iter()
                .map(|it| (it.table, it.mean, it.deviation))
                .collect()
        };
        assert_eq!(found("fractional-0.2", &four), [("Table 2", 1490.0, 441.0), ("Table 6", 1773.0, 748.0)]);
        assert_eq!(found("meta-model", &four), [("Table 2", 1882.0, 390.0)]);
        assert_eq!(found("baseline", &[]), [("Table 2", 1199.0, 558.0), ("Table 4", 1681.0, 726.0)]);
        let two = names(&["ant", "hopper"]);
        assert_eq!(found("fractional-0.2", &two), [("Table 4", 1982.0, 838.0)]);
        assert_eq!(found("fractional-0.5", &two), [("Table 6", 1961.0, 944.0)]);
        assert_eq!(found("meta-model", &names(&["ant", "hopper", "walker2d"])), [("Table 4", 2078.0, 721.0)]);
        for (method, sources) in
            [("full", four.as_slice()), ("fractional-0.2", &names(&["ant"])), ("fractional-0.25", &two)]
        {
            assert!(found(method, sources).is_empty(), "{method}");
        }
        assert!(found("meta-model", &names(&["ant", "walker2d"])).is_empty());
        assert!(published("reacher", "baseline", &[], 0).is_empty());
        assert!(published("half-cheetah", "meta-model", &two, 1).is_empty(), "one agent of both tasks");
        assert!(published("half-cheetah", "meta-model", &two, 3).is_empty(), "two agents of one of them");
        assert!(published("half-cheetah", "fractional-0.2", &two, 2).is_empty());
        assert_eq!((title("ant"), title("reacher")), ("Ant", "reacher"));
    }

    #[test]
    fn tables_agree_where_they_share_runs() {
        for task in &TASKS {
            let Some(fractions) = &task.fractions else { continue };
            assert_eq!(fractions.rows[2][..2], task.fewer_sources[..2], "{}", task.name);
        }
    }
}
