// What Bullet's multibodies keep to themselves.
#pragma once

#include "multibody.h"

namespace ours
{
struct Tree;

struct BodyData
{
	// Copies what rows are computed from (rows.cpp).
	static void read(const btMultiBody& body, Tree& tree);

	// The body's own account of what impulses did to its velocities in this part of a step.
	static double* changes(btMultiBody& body) { return &body.m_deltaV[0]; }
};
}  // namespace ours
