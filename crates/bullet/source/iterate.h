// One iteration over all rows (solver.cpp). Included once for each kind of processor, inside a namespace, with TARGET as the
// function attribute that names the kind.

#define INLINE TARGET static inline __attribute__((always_inline))

// The velocity along a row that all impulses so far have caused. The terms that are left out are zeros, which change no sum that
// began as +0.
INLINE double along(const Side& side)
{
	double sum = 0;
	if (side.size == 0)
	{
		return sum;
	}
	if (side.base)
	{
		for (int i = 0; i < 6; i++)
		{
			sum += side.row[i] * side.change[i];
		}
	}
	for (int i = side.first; i < side.last; i++)
	{
		sum += side.row[i] * side.change[i];
	}
	return sum;
}

typedef double Four __attribute__((vector_size(32), aligned(8), may_alias));

INLINE void push(const Side& side, double impulse)
{
	const Four impulses = {impulse, impulse, impulse, impulse};
	int i = 0;
	for (; i + 4 <= side.size; i += 4)
	{
		const Four more = *reinterpret_cast<const Four*>(side.answer + i) * impulses;
		*reinterpret_cast<Four*>(side.change + i) += more;
		*reinterpret_cast<Four*>(side.total + i) += more;
	}
	for (; i < side.size; i++)
	{
		const double more = side.answer[i] * impulse;
		side.change[i] += more;
		side.total[i] += more;
	}
}

// The impulse that a row asks for, before any limit.
INLINE double wanted(const Solvable& row)
{
	const btMultiBodySolverConstraint& c = *row.constraint;
	double impulse = c.m_rhs - c.m_appliedImpulse * c.m_cfm;
	impulse -= along(row.side[0]) * c.m_jacDiagABInv;
	impulse -= along(row.side[1]) * c.m_jacDiagABInv;
	return impulse;
}

// Keeps the whole impulse of a row within limits; returns the impulse to add.
INLINE double limited(const btMultiBodySolverConstraint& c, double impulse, double sum, double lower, double upper)
{
	if (sum < lower)
	{
		impulse = lower - c.m_appliedImpulse;
		c.m_appliedImpulse = lower;
	}
	else if (sum > upper)
	{
		impulse = upper - c.m_appliedImpulse;
		c.m_appliedImpulse = upper;
	}
	else
	{
		c.m_appliedImpulse = sum;
	}
	return impulse;
}

INLINE void push(const Solvable& row, double impulse)
{
	push(row.side[0], impulse);
	push(row.side[1], impulse);
}

// Solves a row; gives the velocity that it was wrong by.
INLINE double solve(const Solvable& row)
{
	const btMultiBodySolverConstraint& c = *row.constraint;
	const double asked = wanted(row);
	const double impulse = limited(c, asked, c.m_appliedImpulse + asked, c.m_lowerLimit, c.m_upperLimit);
	push(row, impulse);
	return impulse / c.m_jacDiagABInv;
}

// Solves a contact's two rows of friction within a cone.
INLINE double solve_cone(const Solvable& first, const Solvable& second)
{
	const btMultiBodySolverConstraint &a = *first.constraint, &b = *second.constraint;
	double impulse_b = wanted(second), impulse_a = wanted(first);
	const double sum_b = b.m_appliedImpulse + impulse_b, sum_a = a.m_appliedImpulse + impulse_a;
	if (sum_a * sum_a + sum_b * sum_b >= a.m_lowerLimit * b.m_lowerLimit)
	{
		const double angle = std::atan2(sum_a, sum_b);
		const double most_a = std::fabs(a.m_lowerLimit * std::sin(angle));
		const double most_b = std::fabs(b.m_lowerLimit * std::cos(angle));
		impulse_a = limited(a, impulse_a, sum_a, -most_a, most_a);
		impulse_b = limited(b, impulse_b, sum_b, -most_b, most_b);
	}
	else
	{
		a.m_appliedImpulse = sum_a;
		b.m_appliedImpulse = sum_b;
	}
	push(first, impulse_a);
	push(second, impulse_b);
	return impulse_a / a.m_jacDiagABInv + impulse_b / b.m_jacDiagABInv;
}

// Solves joints (`inner` times, forwards or backwards), contacts and friction; returns the largest square of the errors,
// which was `worst` so far.
TARGET static double iterate(const std::vector<Solvable>& joints, const std::vector<Solvable>& normals,
							 std::vector<Solvable>& frictions, bool forwards, int inner, bool contacts, double worst)
{
	double wrong = 0;
	for (int round = 0; round < inner; round++)
	{
		wrong = 0;
		for (size_t i = 0; i < joints.size(); i++)
		{
			const double residual = solve(joints[forwards ? i : joints.size() - 1 - i]);
			wrong = btMax(wrong, residual * residual);
		}
	}
	worst = btMax(worst, wrong);
	for (size_t i = 0; i < normals.size(); i++)
	{
		const double residual = contacts ? solve(normals[i]) : 0;
		worst = btMax(worst, residual * residual);
	}
	for (size_t i = 0; i + 1 < frictions.size() && contacts; i += 2)
	{
		// Whose limits they are is written here.
		btMultiBodySolverConstraint& a = const_cast<btMultiBodySolverConstraint&>(*frictions[i].constraint);
		btMultiBodySolverConstraint& b = const_cast<btMultiBodySolverConstraint&>(*frictions[i + 1].constraint);
		if (a.m_frictionIndex != b.m_frictionIndex)
		{
			continue;
		}
		const double pressed = normals[a.m_frictionIndex].constraint->m_appliedImpulse;
		a.m_lowerLimit = -(a.m_friction * pressed);
		a.m_upperLimit = a.m_friction * pressed;
		b.m_lowerLimit = -(b.m_friction * pressed);
		b.m_upperLimit = b.m_friction * pressed;
		const double residual = solve_cone(frictions[i], frictions[i + 1]);
		worst = btMax(worst, residual * residual);
	}
	return worst;
}

#undef INLINE
