//! Environments as an agent uses them: reproducible, unharmed by wrong actions, independent of each other.

use environment::{Catalogue, Environment, IMAGE_BYTES, Padded, TaskError, TaskOptions, Termination};
use random::Stream;

fn make(name: &str) -> Box<dyn Environment> {
    tasks::catalogue().make(name, &TaskOptions::default()).unwrap()
}

/// Images and rewards of an episode's first `steps` steps under random actions, as bits.
fn play(environment: &mut dyn Environment, seed: u64, steps: usize) -> (Vec<u8>, Vec<u32>) {
    let mut image = vec![0; IMAGE_BYTES];
    let mut actions = Stream::new(seed, "exploration");
    environment.reset(&mut Stream::new(seed, "environment"), &mut image).unwrap();
    let (mut images, mut rewards) = (image.clone(), vec![]);
    for _ in 0..steps {
        let action: Vec<f32> = (0..environment.action_size()).map(|_| actions.uniform_in(-1.0, 1.0) as f32).collect();
        rewards.push(environment.step(&action, &mut image).unwrap().reward.to_bits());
        images.extend(&image);
    }
    (images, rewards)
}

#[test]
fn an_episode_depends_on_its_random_numbers_and_on_nothing_before() {
    for task in tasks::catalogue().tasks() {
        let mut used = make(&task.name);
        play(&mut *used, 7, 40);
        let again = play(&mut *used, 3, 60);
        let fresh = play(&mut *make(&task.name), 3, 60);
        assert!(again == fresh, "{}: an earlier episode shows in a later one", task.name);
        assert!(fresh.1 != play(&mut *used, 4, 60).1, "{}: all episodes are the same", task.name);
    }
}

#[test]
fn a_refused_action_changes_nothing() {
    for task in tasks::catalogue().tasks() {
        let expected = play(&mut *make(&task.name), 5, 20);
        let mut environment = make(&task.name);
        let size = task.actions.size;
        let mut image = vec![1; IMAGE_BYTES];
        assert!(matches!(environment.step(&vec![0.0; size], &mut image), Err(TaskError::NoEpisode { .. })));
        environment.reset(&mut Stream::new(5, "environment"), &mut image).unwrap();
        let mut actions = Stream::new(5, "exploration");
        let mut rewards = vec![];
        for _ in 0..20 {
            let mut wrong = vec![1.0; size];
            wrong[size - 1] = f32::NAN;
            assert!(matches!(environment.step(&wrong, &mut image), Err(TaskError::ActionValue { .. })));
            assert!(matches!(environment.step(&vec![1.0; size + 1], &mut image), Err(TaskError::ActionLength { .. })));
            let action: Vec<f32> = (0..size).map(|_| actions.uniform_in(-1.0, 1.0) as f32).collect();
            rewards.push(environment.step(&action, &mut image).unwrap().reward.to_bits());
        }
        assert_eq!(rewards, expected.1, "{}", task.name);
        assert!(image == expected.0[20 * IMAGE_BYTES..], "{}: the last image", task.name);
    }
}

#[test]
fn environments_on_threads_give_the_bits_of_one_alone() {
    let alone: Vec<_> = tasks::catalogue().tasks().iter().map(|task| play(&mut *make(&task.name), 11, 40)).collect();
    let together: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = tasks::catalogue()
            .tasks()
            .iter()
            .map(|task| scope.spawn(|| play(&mut *make(&task.name), 11, 40)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(alone == together);
}

#[test]
fn only_the_stock_rule_ends_a_fallen_walkers_episode() {
    let steps = |termination| {
        let mut environment =
            tasks::catalogue().make("hopper", &TaskOptions { termination, ..TaskOptions::default() }).unwrap();
        let mut image = vec![0; IMAGE_BYTES];
        environment.reset(&mut Stream::new(2, "environment"), &mut image).unwrap();
        let (mut steps, mut frames, mut total) = (0, 0, 0.0);
        loop {
            let outcome = environment.step(&[0.0; 3], &mut image).unwrap();
            (steps, frames, total) = (steps + 1, frames + outcome.frames, total + outcome.reward);
            if outcome.over() {
                return (steps, outcome.terminal, frames, total);
            }
        }
    };
    let (short, terminal, ..) = steps(Termination::Stock);
    assert!(terminal && short < 50, "a hopper that does nothing falls within a second, not in {short} steps");
    let (long, terminal, frames, total) = steps(Termination::Fixed);
    assert_eq!((long, terminal, frames), (500, false, 1000));
    assert!(total < -500.0, "lying on the floor costs 1 a frame: {total}");
}

#[test]
fn padding_ignores_the_elements_that_are_too_many() {
    let size = tasks::catalogue().tasks().iter().map(|task| task.actions.size).max().unwrap();
    assert_eq!(size, 8);
    let mut plain = make("hopper");
    let mut padded = Padded::new(make("hopper"), size, 0).unwrap();
    assert_eq!((padded.task(), padded.action_size()), ("hopper", 8));
    let (mut image, mut other) = (vec![0; IMAGE_BYTES], vec![0; IMAGE_BYTES]);
    plain.reset(&mut Stream::new(1, "environment"), &mut image).unwrap();
    padded.reset(&mut Stream::new(1, "environment"), &mut other).unwrap();
    for step in 0..10 {
        let extra = step as f32 / 10.0;
        let expected = plain.step(&[0.3, -0.2, 1.0], &mut image).unwrap();
        let outcome = padded.step(&[0.3, -0.2, 1.0, extra, -extra, extra, 1.0, -1.0], &mut other).unwrap();
        assert_eq!(outcome, expected);
        assert!(image == other);
    }
    let not_a_number = [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN];
    assert!(matches!(padded.step(&not_a_number, &mut other), Err(TaskError::ActionValue { index: 7, .. })));
    assert!(matches!(Padded::new(make("ant"), 7, 0), Err(TaskError::TooNarrow { own: 8, size: 7, .. })));
}

#[test]
fn options_are_names_in_a_file() {
    let stock: TaskOptions = toml::from_str("termination = \"stock\"").unwrap();
    assert_eq!(stock.termination, Termination::Stock);
    assert_eq!(toml::from_str::<TaskOptions>("").unwrap(), TaskOptions::default());
    let error = toml::from_str::<TaskOptions>("termination = \"early\"").unwrap_err().to_string();
    assert!(error.contains("fixed") && error.contains("stock"), "{error}");
}
