// The expensive parts of a constraint's row: its Jacobian, and the body's response to a force along it. Bullet computes both row by row,
// each time from the quaternions on; here the rows of a contact's or a joint's constraint are predicted and computed four at
// a time, from matrices made once in each part of a step.
//
// No result depends on the prediction: Bullet's code asks for each row as before, and a computed row is used only if its
// input is bitwise identical. All other rows are computed by Bullet's own version. Both are bitwise identical.
#include "solver.h"

#include <cmath>
#include <cstring>
#include <vector>

#include "BulletCollision/NarrowPhaseCollision/btPersistentManifold.h"
#include "BulletDynamics/Featherstone/btMultiBodyJointLimitConstraint.h"
#include "BulletDynamics/Featherstone/btMultiBodyLinkCollider.h"
#include "body_data.h"

namespace ours
{
// A link, and the joint that it hangs on.
struct Link
{
	int parent;      // -1: the base
	int coordinate;  // of its joint, among the joints
	bool joint;      // whether it has one, which then has one coordinate
	bool slides;     // whether that is a slide, not a hinge
	bool moves;      // whether a joint hangs on it, or it on one
	double rotation[9], shift[3];  // from its parent, as of the last forward dynamics
	double turned[9];              // the rotation as of now
	double axis[6];                // of its joint, angular and linear
	double inertia[6], inverse;    // its articulated inertia times the axis, force and torque; one over what the joint feels
};

// A multibody.
struct Tree
{
	const btMultiBody* body;
	bool known;  // whether this file can compute it
	bool fixed;  // whether the base cannot move
	int links;
	int size;           // of a row
	double base[9];     // rotation of the base, as of the last forward dynamics
	double world[9];    // the same as of now
	double origin[3];   // of the base
	double inverse[4][9];  // of the articulated inertia of the base, by blocks
	std::vector<Link> link;
};

namespace
{
void write(const btVector3& vector, double* to)
{
	to[0] = vector[0];
	to[1] = vector[1];
	to[2] = vector[2];
}

void write(const btMatrix3x3& matrix, double* to)
{
	write(matrix[0], to);
	write(matrix[1], to + 3);
	write(matrix[2], to + 6);
}
}  // namespace

void BodyData::read(const btMultiBody& body, Tree& tree)
{
	tree.body = &body;
	tree.links = body.getNumLinks();
	tree.size = 6 + body.getNumDofs();
	tree.fixed = body.isBaseStaticOrKinematic();
	tree.known = tree.fixed || (tree.links > 0 && body.m_cachedInertiaValid);
	tree.link.resize(tree.links);
	for (int i = 0; i < tree.links && tree.known; i++)
	{
		const btMultibodyLink& from = body.getLink(i);
		Link& link = tree.link[i];
		link.parent = from.m_parent;
		link.joint = from.m_dofCount > 0;
		link.slides = from.m_jointType == btMultibodyLink::ePrismatic;
		link.moves = link.joint;
		const bool simple = from.m_jointType == btMultibodyLink::eRevolute || link.slides;
		tree.known = from.m_dofCount == (simple ? 1 : 0) && link.parent < i && !body.isLinkKinematic(i);
		write(body.m_matrixBuf[i + 1], link.rotation);
		write(btMatrix3x3(from.m_cachedRotParentToThis), link.turned);
		write(from.m_cachedRVector, link.shift);
		if (link.joint && tree.known)
		{
			const int at = from.m_dofOffset;
			link.coordinate = at;
			write(from.m_axes[0].m_topVec, link.axis);
			write(from.m_axes[0].m_bottomVec, link.axis + 3);
			write(body.m_vectorBuf[2 * at], link.inertia);
			write(body.m_vectorBuf[2 * at + 1], link.inertia + 3);
			link.inverse = body.m_realBuf[6 + body.getNumDofs() + at * at];
		}
	}
	if (!tree.known)
	{
		return;
	}
	for (int i = tree.links - 1; i >= 0; i--)
	{
		if (tree.link[i].moves && tree.link[i].parent >= 0)
		{
			tree.link[tree.link[i].parent].moves = true;
		}
	}
	write(body.m_matrixBuf[0], tree.base);
	write(btMatrix3x3(body.m_baseQuat), tree.world);
	write(body.m_basePos, tree.origin);
	if (!tree.fixed)
	{
		// The inverse of [A B; C A^T] by blocks, in the order of operations of Bullet's solveImatrix.
		const btMatrix3x3 &a = body.m_cachedInertiaTopLeft, &d = body.m_cachedInertiaLowerRight;
		const btMatrix3x3 minus_b = body.m_cachedInertiaTopRight.inverse() * -1.f;
		const btMatrix3x3 upper_right = ((d * minus_b) * a + body.m_cachedInertiaLowerLeft).inverse();
		const btMatrix3x3 upper_left = (upper_right * d) * minus_b;
		btMatrix3x3 rest = a * upper_left;
		for (int i = 0; i < 3; i++)
		{
			rest[i][i] -= 1.0;
		}
		write(upper_left, tree.inverse[0]);
		write(upper_right, tree.inverse[1]);
		write(minus_b * rest, tree.inverse[2]);
		write(upper_left.transpose(), tree.inverse[3]);
	}
}

#if defined(__GNUC__) && !defined(__clang__)
// No function has a SIMD vector as an argument or a result, so the warning about their ABI does not apply.
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace
{
namespace plain
{
#define TARGET
#include "lanes.h"
#undef TARGET
}  // namespace plain

#if defined(__x86_64__)
namespace wide
{
#define TARGET __attribute__((target("avx2")))
#include "lanes.h"
#undef TARGET
}  // namespace wide
const bool has_wide = __builtin_cpu_supports("avx2");
#else
namespace wide = plain;
const bool has_wide = false;
#endif

// A row that will be asked for. Its numbers are at `at` in the arrays of rows and of answers.
struct Row
{
	int tree, link;
	bool point;         // whether the Jacobian will be asked for too
	double place[3], direction[3];
	size_t at;
};

// All rows foreseen for one call of the solver. Memory is kept from call to call.
class Foresight
{
public:
	bool active;

	Foresight() : active(false) {}

	void begin()
	{
		active = true;
		m_trees = 0;
		m_rows.clear();
		m_numbers.clear();
		m_next_row = m_next_answer = 0;
	}

	// Predicts three rows for a point on a link: its normal and the two directions at right angles to it.
	void contact(const btMultiBodyLinkCollider& collider, const btVector3& point, const btVector3 normals[3])
	{
		const int tree = find(collider.m_multiBody);
		if (!m_tree[tree].known)
		{
			return;
		}
		const Tree& body = m_tree[tree];
		m_path.clear();
		for (int link = collider.m_link; link >= 0; link = body.link[link].parent)
		{
			m_path.push_back(link);
		}
		double place[3], directions[3][3];
		write(point, place);
		const size_t at = m_numbers.size();
		m_numbers.resize(at + 3 * body.size);
		double* rows[3];
		for (int i = 0; i < 3; i++)
		{
			write(normals[i], directions[i]);
			rows[i] = &m_numbers[at + i * body.size];
		}
		(has_wide ? wide::point_rows : plain::point_rows)(body, collider.m_link, place, directions, rows, m_path.data(),
														 int(m_path.size()));
		for (int i = 0; i < 3; i++)
		{
			Row row = {tree, collider.m_link, true, {place[0], place[1], place[2]}, {}, at + i * body.size};
			std::memcpy(row.direction, directions[i], sizeof row.direction);
			m_rows.push_back(row);
		}
	}

	// Foresees a row that is known already. Rows of zeros are many, but one is enough.
	void joint(const btMultiBody* body, const double* numbers)
	{
		const int tree = find(body);
		if (!m_tree[tree].known)
		{
			return;
		}
		const size_t size = m_tree[tree].size, at = m_numbers.size();
		Row row = {tree, 0, false, {}, {}, at};
		bool zero = true;
		for (size_t i = 0; i < size; i++)
		{
			zero &= numbers[i] == 0;
		}
		for (size_t i = 0; i < m_rows.size() && zero; i++)
		{
			if (same(m_rows[i], tree, numbers))
			{
				return;
			}
		}
		m_numbers.insert(m_numbers.end(), numbers, numbers + size);
		m_rows.push_back(row);
	}

	// Computes all answers.
	void compute()
	{
		m_answers.resize(m_numbers.size());
		for (int tree = 0; tree < m_trees; tree++)
		{
			const Tree& body = m_tree[tree];
			m_touched.resize(body.links);
			m_memory.resize(4 * (6 * (2 * body.links + 2) + body.links + body.size));
			int lane = 0;
			const double* forces[4];
			double* answers[4];
			for (size_t i = 0; i < m_rows.size(); i++)
			{
				if (m_rows[i].tree == tree)
				{
					forces[lane] = &m_numbers[m_rows[i].at];
					answers[lane++] = &m_answers[m_rows[i].at];
				}
				if (lane == 4 || (lane > 0 && i + 1 == m_rows.size()))
				{
					for (int spare = lane; spare < 4; spare++)
					{
						forces[spare] = forces[lane - 1];
						answers[spare] = answers[lane - 1];
					}
					(has_wide ? wide::respond : plain::respond)(body, forces, answers, m_memory.data(), m_touched.data());
					lane = 0;
				}
			}
		}
	}

	bool row(const btMultiBody* body, int link, const btVector3& point, const btVector3& angular, const btVector3& linear,
			 double* row)
	{
		double place[3], direction[3], turning[3];
		const double none[3] = {0, 0, 0};
		write(point, place);
		write(linear, direction);
		write(angular, turning);
		for (size_t n = 0; n < m_rows.size(); n++)
		{
			const Row& known = m_rows[m_next_row];
			m_next_row = m_next_row + 1 < m_rows.size() ? m_next_row + 1 : 0;
			if (known.point && known.link == link && std::memcmp(known.direction, direction, sizeof direction) == 0 &&
				std::memcmp(known.place, place, sizeof place) == 0 && m_tree[known.tree].body == body &&
				std::memcmp(turning, none, sizeof none) == 0)
			{
				std::memcpy(row, &m_numbers[known.at], m_tree[known.tree].size * sizeof(double));
				return true;
			}
		}
		return false;
	}

	bool answer(const btMultiBody* body, const double* force, double* answer)
	{
		for (size_t n = 0; n < m_rows.size(); n++)
		{
			const Row& known = m_rows[m_next_answer];
			m_next_answer = m_next_answer + 1 < m_rows.size() ? m_next_answer + 1 : 0;
			if (m_tree[known.tree].body == body && same(known, known.tree, force))
			{
				std::memcpy(answer, &m_answers[known.at], m_tree[known.tree].size * sizeof(double));
				return true;
			}
		}
		return false;
	}

private:
	int m_trees;
	std::vector<Tree> m_tree;
	std::vector<Row> m_rows;
	std::vector<double> m_numbers, m_answers, m_memory;
	std::vector<char> m_touched;
	std::vector<int> m_path;
	size_t m_next_row, m_next_answer;

	int find(const btMultiBody* body)
	{
		for (int i = 0; i < m_trees; i++)
		{
			if (m_tree[i].body == body)
			{
				return i;
			}
		}
		if (size_t(m_trees) == m_tree.size())
		{
			m_tree.resize(m_trees + 1);
		}
		BodyData::read(*body, m_tree[m_trees]);
		return m_trees++;
	}

	bool same(const Row& row, int tree, const double* numbers) const
	{
		return row.tree == tree && std::memcmp(&m_numbers[row.at], numbers, m_tree[tree].size * sizeof(double)) == 0;
	}
};

Foresight& foresight()
{
	static thread_local Foresight foresight;
	return foresight;
}

// Access to what a base class protects, by the language's own rule: a derived class may name the member.
struct Constraint : btMultiBodyConstraint
{
	static bool ready(const btMultiBodyConstraint& constraint)
	{
		return constraint.*(&Constraint::m_numDofsFinalized) == constraint.*(&Constraint::m_jacSizeBoth);
	}
};

void foresee(Foresight& rows, btPersistentManifold& manifold)
{
	const btMultiBodyLinkCollider* a = btMultiBodyLinkCollider::upcast(manifold.getBody0());
	const btMultiBodyLinkCollider* b = btMultiBodyLinkCollider::upcast(manifold.getBody1());
	for (int i = 0; i < manifold.getNumContacts() && (a || b); i++)
	{
		const btManifoldPoint& point = manifold.getContactPoint(i);
		if (point.getDistance() > manifold.getContactProcessingThreshold())
		{
			continue;
		}
		btVector3 normals[3] = {point.m_normalWorldOnB, point.m_lateralFrictionDir1, point.m_lateralFrictionDir2};
		btPlaneSpace1(normals[0], normals[1], normals[2]);
		normals[1].normalize();
		normals[2].normalize();
		if (a)
		{
			rows.contact(*a, point.getPositionWorldOnA(), normals);
		}
		if (b)
		{
			const btVector3 against[3] = {-normals[0], -normals[1], -normals[2]};
			rows.contact(*b, point.getPositionWorldOnB(), against);
		}
	}
}

void foresee(Foresight& rows, btMultiBodyConstraint& constraint)
{
	if (!Constraint::ready(constraint))
	{
		return;
	}
	bool wanted[2] = {false, false};
	if (constraint.getConstraintType() == MULTIBODY_CONSTRAINT_LIMIT)
	{
		const btMultiBodyJointLimitConstraint& limit = static_cast<btMultiBodyJointLimitConstraint&>(constraint);
		const btScalar position = constraint.getMultiBodyA()->getJointPos(constraint.getLinkA());
		wanted[0] = !(position - limit.getLowerBound() > 0);
		wanted[1] = !(limit.getUpperBound() - position > 0);
	}
	else if (constraint.getConstraintType() == MULTIBODY_CONSTRAINT_1DOF_JOINT_MOTOR)
	{
		wanted[0] = constraint.getMaxAppliedImpulse() != 0;
	}
	for (int row = 0; row < constraint.getNumRows() && row < 2; row++)
	{
		if (wanted[row])
		{
			rows.joint(constraint.getMultiBodyA(), constraint.jacobianA(row));
			if (constraint.getMultiBodyB())
			{
				rows.joint(constraint.getMultiBodyB(), constraint.jacobianB(row));
			}
		}
	}
}
}  // namespace

void Solver::convertContacts(btPersistentManifold** manifolds, int count, const btContactSolverInfo& info)
{
	// Nothing below moves a link, so the computed rows stay valid until the end.
	Foresight& rows = foresight();
	rows.begin();
	for (int i = 0; i < count; i++)
	{
		foresee(rows, *manifolds[i]);
	}
	for (int i = 0; i < m_tmpNumMultiBodyConstraints; i++)
	{
		foresee(rows, *m_tmpMultiBodyConstraints[i]);
	}
	rows.compute();
	btMultiBodyConstraintSolver::convertContacts(manifolds, count, info);
	rows.active = false;
	prepare();
}

void pass_inertia(const btMatrix3x3& from_parent, const btVector3& shift, const btSymmetricSpatialDyad& link,
				  btSymmetricSpatialDyad& parent)
{
	(has_wide ? wide::pass_inertia : plain::pass_inertia)(from_parent, shift, link, parent);
}
}  // namespace ours

void btMultiBody::calcAccelerationDeltasMultiDof(const btScalar* force, btScalar* output,
												 btAlignedObjectArray<btScalar>& scratch_r,
												 btAlignedObjectArray<btVector3>& scratch_v) const
{
	ours::Foresight& rows = ours::foresight();
	if (!rows.active || !rows.answer(this, force, output))
	{
		stockAccelerationDeltas(force, output, scratch_r, scratch_v);
	}
}

void btMultiBody::fillConstraintJacobianMultiDof(int link, const btVector3& contact_point, const btVector3& normal_ang,
												 const btVector3& normal_lin, btScalar* jac,
												 btAlignedObjectArray<btScalar>& scratch_r,
												 btAlignedObjectArray<btVector3>& scratch_v,
												 btAlignedObjectArray<btMatrix3x3>& scratch_m) const
{
	ours::Foresight& rows = ours::foresight();
	if (!rows.active || !rows.row(this, link, contact_point, normal_ang, normal_lin, jac))
	{
		stockConstraintJacobian(link, contact_point, normal_ang, normal_lin, jac, scratch_r, scratch_v, scratch_m);
	}
}
