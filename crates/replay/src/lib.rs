//! Episodes, their files, and a replay memory with a byte budget.
