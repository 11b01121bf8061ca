//! Names of tasks as parts of names of files.

/// The task's name with `-` for everything that a file's name should not have: `gymnasium:Pendulum-v1` is
/// `gymnasium-Pendulum-v1`. Names of built-in tasks stay as they are.
pub fn file_name(task: &str) -> String {
    let letter = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.' | '_') { c } else { '-' };
    task.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_external_environments_become_names_of_files() {
        let names = ["hopper", "gymnasium:ALE/Pong-v5", "python:my.module:make", "program:./a b", "program:../é"];
        let files = ["hopper", "gymnasium-ALE-Pong-v5", "python-my.module-make", "program-.-a-b", "program-..--"];
        assert_eq!(names.map(file_name), files);
    }
}
