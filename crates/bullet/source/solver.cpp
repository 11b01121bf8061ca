// How rows are solved: projected Gauss-Seidel as in Bullet's solver, in its order, without the terms that are zero.
#include "solver.h"

#include <cmath>
#include <cstring>

#include "body_data.h"

#if defined(__GNUC__) && !defined(__clang__)
// No function has a SIMD vector as an argument or a result, so the warning about their ABI does not apply.
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace ours
{
namespace
{
namespace plain
{
#define TARGET
#include "iterate.h"
#undef TARGET
}  // namespace plain

#if defined(__x86_64__)
namespace wide
{
#define TARGET __attribute__((target("avx2")))
#include "iterate.h"
#undef TARGET
}  // namespace wide
const bool has_wide = __builtin_cpu_supports("avx2");
#else
namespace wide = plain;
const bool has_wide = false;
#endif
}  // namespace

// Collects the data for solving. It stays in place until all iterations are done.
void Solver::prepare()
{
	m_ready = m_multiBodyTorsionalFrictionContactConstraints.size() == 0 &&
			  m_multiBodySpinningFrictionContactConstraints.size() == 0 &&
			  prepare(m_multiBodyNonContactConstraints, m_joints) &&
			  prepare(m_multiBodyNormalContactConstraints, m_normals) &&
			  prepare(m_multiBodyFrictionContactConstraints, m_frictions) && m_frictions.size() == 2 * m_normals.size();
}

bool Solver::prepare(const btMultiBodyConstraintArray& constraints, std::vector<Solvable>& rows)
{
	rows.resize(constraints.size());
	for (int i = 0; i < constraints.size(); i++)
	{
		const btMultiBodySolverConstraint& constraint = constraints[i];
		rows[i].constraint = &constraint;
		if (!prepare(constraint.m_multiBodyA, constraint.m_jacAindex, constraint.m_deltaVelAindex, rows[i].side[0]) ||
			!prepare(constraint.m_multiBodyB, constraint.m_jacBindex, constraint.m_deltaVelBindex, rows[i].side[1]))
		{
			return false;
		}
	}
	return true;
}

bool Solver::prepare(btMultiBody* body, int row, int change, Side& side)
{
	if (!body)
	{
		return false;  // a rigid body
	}
	side.size = 6 + body->getNumDofs();
	side.row = &m_data.m_jacobians[row];
	side.answer = &m_data.m_deltaVelocitiesUnitImpulse[row];
	side.change = &m_data.m_deltaVelocities[change];
	side.total = BodyData::changes(*body);
	side.base = false;
	for (int i = 0; i < 6; i++)
	{
		side.base |= side.row[i] != 0;
	}
	side.first = 6;
	side.last = side.size;
	while (side.last > side.first && side.row[side.last - 1] == 0)
	{
		side.last--;
	}
	while (side.first < side.last && side.row[side.first] == 0)
	{
		side.first++;
	}
	if (!side.base && side.first == side.last)
	{
		side.size = 0;  // no force, no answer
	}
	return true;
}

btScalar Solver::solveSingleIteration(int iteration, btCollisionObject** bodies, int body_count,
									  btPersistentManifold** manifolds, int manifold_count, btTypedConstraint** others,
									  int other_count, const btContactSolverInfo& info, btIDebugDraw* drawer)
{
	const int mode = info.m_solverMode;
	if (!m_ready || !(mode & SOLVER_USE_2_FRICTION_DIRECTIONS) || (mode & SOLVER_DISABLE_IMPLICIT_CONE_FRICTION))
	{
		return btMultiBodyConstraintSolver::solveSingleIteration(iteration, bodies, body_count, manifolds, manifold_count,
																 others, other_count, info, drawer);
	}
	const btScalar rest = btSequentialImpulseConstraintSolver::solveSingleIteration(
		iteration, bodies, body_count, manifolds, manifold_count, others, other_count, info, drawer);
	for (size_t i = 0; i < m_joints.size() + m_normals.size(); i++)
	{
		const Solvable& row = i < m_joints.size() ? m_joints[i] : m_normals[i - m_joints.size()];
		row.constraint->m_multiBodyA->setPosUpdated(false);
		row.constraint->m_multiBodyB->setPosUpdated(false);
	}
	const bool contacts = iteration < info.m_numIterations;
	const int inner = info.m_numNonContactInnerIterations;
	return (has_wide ? wide::iterate : plain::iterate)(m_joints, m_normals, m_frictions, (iteration & 1) != 0, inner, contacts,
													   rest);
}
}  // namespace ours
