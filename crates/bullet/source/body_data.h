// Access to private data of Bullet's multibodies.
#pragma once

#include "multibody.h"

namespace ours
{
struct Tree;

struct BodyData
{
	// Copies the data from which rows are computed (rows.cpp).
	static void read(const btMultiBody& body, Tree& tree);

	// The body's own record of the changes of its velocities by impulses in this part of a step.
	static double* changes(btMultiBody& body) { return &body.m_deltaV[0]; }
};
}  // namespace ours
