// Bullet's solver of multibodies' constraints with its two costly parts written anew: how rows are set up (rows.cpp) and how
// they are solved, again and again (solver.cpp). The bits of every result are the stock solver's.
#pragma once

#include <vector>

#include "multibody.h"

namespace ours
{
// One body's side of a row.
struct Side
{
	const double *row, *answer;  // the Jacobian, and the change of each coordinate's velocity by a unit impulse
	double *change, *total;      // the changes by impulses so far, in the solver's and in the body's own record
	int size;                    // 0: nothing to do
	int first, last;             // the joints' coordinates that the row is not zero at, [first, last)
	bool base;                   // whether it is not zero for the base
};

// A row, ready to be solved.
struct Solvable
{
	const btMultiBodySolverConstraint* constraint;
	Side side[2];
};

class Solver : public btMultiBodyConstraintSolver
{
public:
	Solver() : m_ready(false) {}

protected:
	virtual void convertContacts(btPersistentManifold** manifolds, int count, const btContactSolverInfo& info);
	virtual btScalar solveSingleIteration(int iteration, btCollisionObject** bodies, int body_count,
										  btPersistentManifold** manifolds, int manifold_count, btTypedConstraint** others,
										  int other_count, const btContactSolverInfo& info, btIDebugDraw* drawer);

private:
	bool m_ready;  // whether the rows below are all there is
	std::vector<Solvable> m_joints, m_normals, m_frictions;

	void prepare();
	bool prepare(const btMultiBodyConstraintArray& constraints, std::vector<Solvable>& rows);
	bool prepare(btMultiBody* body, int row, int change, Side& side);
};
}  // namespace ours
