// Bullet's multibody headers with room for our own version of two of their methods (rows.cpp). Each is declared a second
// time, as `stock...`, which is the name that dynamics.cpp compiles Bullet's version under.
#pragma once

// The includes of these headers must not see the macros below.
#include "BulletDynamics/ConstraintSolver/btSequentialImpulseConstraintSolver.h"
#include "BulletDynamics/Featherstone/btMultiBodyLink.h"

// All that is ours is in here, since Bullet has a Tree and more of its own.
namespace ours
{
struct BodyData;
}

#define calcAccelerationDeltasMultiDof(...)                                                          \
	stockAccelerationDeltas(__VA_ARGS__) const;                                                      \
	void stockConstraintJacobian(int, const btVector3&, const btVector3&, const btVector3&, btScalar*, \
								 btAlignedObjectArray<btScalar>&, btAlignedObjectArray<btVector3>&,  \
								 btAlignedObjectArray<btMatrix3x3>&) const;                          \
	friend struct ours::BodyData;                                                                    \
	void calcAccelerationDeltasMultiDof(__VA_ARGS__)
#include "BulletDynamics/Featherstone/btMultiBody.h"
#undef calcAccelerationDeltasMultiDof

#include "BulletDynamics/Featherstone/btMultiBodyConstraintSolver.h"

namespace ours
{
// Adds a link's articulated inertia to its parent's (rows.cpp): the bits of Bullet's own function for it.
void pass_inertia(const btMatrix3x3& from_parent, const btVector3& shift, const btSymmetricSpatialDyad& link,
				  btSymmetricSpatialDyad& parent);

// Bullet's transformation, with that.
struct Transformation : btSpatialTransformationMatrix
{
	using btSpatialTransformationMatrix::transformInverse;

	void transformInverse(const btSymmetricSpatialDyad& from, btSymmetricSpatialDyad& to, eOutputOperation operation)
	{
		if (operation == Add)
		{
			pass_inertia(m_rotMat, m_trnVec, from, to);
		}
		else
		{
			btSpatialTransformationMatrix::transformInverse(from, to, operation);
		}
	}
};
}  // namespace ours
