// The computations of rows.cpp that are worth vector instructions: four rows side by side, or a matrix's row. Included once for each kind
// of processor, inside a namespace, with TARGET as the function attribute that names the kind.
//
// Each lane does the additions and multiplications of Bullet's own code, in its order, so that every bit is the same, the
// signs of zeros included.

typedef double Lanes __attribute__((vector_size(32), aligned(8), may_alias));

#define INLINE TARGET static inline __attribute__((always_inline))

struct Triple
{
	Lanes x, y, z;
};

INLINE Lanes all(double x)
{
	Lanes lanes = {x, x, x, x};
	return lanes;
}

INLINE Triple add(const Triple& a, const Triple& b)
{
	Triple sum = {a.x + b.x, a.y + b.y, a.z + b.z};
	return sum;
}

INLINE Triple negative(const Triple& a)
{
	Triple result = {-a.x, -a.y, -a.z};
	return result;
}

INLINE Triple times(const double* v, Lanes s)
{
	Triple result = {s * all(v[0]), s * all(v[1]), s * all(v[2])};
	return result;
}

INLINE Lanes dot(const double* v, const Triple& a)
{
	return all(v[0]) * a.x + all(v[1]) * a.y + all(v[2]) * a.z;
}

INLINE Triple cross(const double* v, const Triple& a)
{
	Triple result = {all(v[1]) * a.z - all(v[2]) * a.y, all(v[2]) * a.x - all(v[0]) * a.z,
					 all(v[0]) * a.y - all(v[1]) * a.x};
	return result;
}

// A matrix, by rows, times a vector.
INLINE Triple turn(const double* m, const Triple& a)
{
	Triple result = {dot(m, a), dot(m + 3, a), dot(m + 6, a)};
	return result;
}

// The transpose of a matrix, by rows, times a vector.
INLINE Triple turn_back(const double* m, const Triple& a)
{
	Triple result = {all(m[0]) * a.x + all(m[3]) * a.y + all(m[6]) * a.z,
					 all(m[1]) * a.x + all(m[4]) * a.y + all(m[7]) * a.z,
					 all(m[2]) * a.x + all(m[5]) * a.y + all(m[8]) * a.z};
	return result;
}

// A force (torque, force) or an acceleration (angular, linear), as Bullet has them: a force's top is linear, an
// acceleration's angular.
struct Spatial
{
	Triple top, bottom;
};

// Whether some lane of `before` is -0 where `after` is zero.
INLINE bool lost_sign(const Lanes& before, const Lanes& after)
{
	bool lost = false;
	for (int lane = 0; lane < 4; lane++)
	{
		lost |= before[lane] == 0 && std::signbit(before[lane]) && after[lane] == 0;
	}
	return lost;
}

// Accelerations of all coordinates that four forces on them cause (base: torque and force, then one number a joint): the
// articulated-body algorithm (Featherstone 1983; Mirtich 1996, section 4.2.3) for a body at rest. Terms that do not
// depend on the force come from `tree`.
TARGET static void respond(const Tree& tree, const double* const forces[4], double* const accelerations[4], double* memory,
						   char* touched)
{
	const int links = tree.links;
	// Lanes of zeros behind the memory of links: Z is the force that a link passes on, Y the one left for its joint.
	Spatial* z = reinterpret_cast<Spatial*>(memory) + 1;
	Spatial* a = z + links + 1;
	Lanes* y = reinterpret_cast<Lanes*>(a + links);
	Lanes* force = y + links;
	const Lanes zero = all(0);
	const Triple zeros = {zero, zero, zero};

	bool signs = false;
	for (int i = 0; i < tree.size; i++)
	{
		Lanes lanes = {forces[0][i], forces[1][i], forces[2][i], forces[3][i]};
		force[i] = lanes;
	}
	Spatial base = {zeros, zeros};
	if (!tree.fixed)
	{
		const Triple linear = {-force[3], -force[4], -force[5]}, angular = {-force[0], -force[1], -force[2]};
		base.top = turn(tree.base, linear);
		base.bottom = turn(tree.base, angular);
	}
	for (int i = 0; i < links; i++)
	{
		const Link& link = tree.link[i];
		touched[i] = 0;
		for (int lane = 0; lane < 4 && link.joint; lane++)
		{
			// Only +0 leaves no trace.
			touched[i] |= forces[lane][6 + link.coordinate] != 0 || std::signbit(forces[lane][6 + link.coordinate]);
		}
	}

	for (;;)
	{
		z[-1] = base;
		for (int i = 0; i < links; i++)
		{
			z[i].top = z[i].bottom = zeros;
			y[i] = zero;
		}
		// From the leaves to the base. A link on which no force acts passes on zeros, which change nothing but a -0.
		for (int i = links - 1; i >= 0; i--)
		{
			if (!touched[i])
			{
				continue;
			}
			const Link& link = tree.link[i];
			Spatial passed = z[i];
			if (link.joint)
			{
				y[i] = force[6 + link.coordinate] - (dot(link.axis + 3, z[i].top) + dot(link.axis, z[i].bottom));
				const Lanes share = zero + all(link.inverse) * y[i];
				passed.top = add(passed.top, times(link.inertia, share));
				passed.bottom = add(passed.bottom, times(link.inertia + 3, share));
			}
			Spatial& parent = z[link.parent];
			parent.bottom = add(parent.bottom, turn_back(link.rotation, add(passed.bottom, cross(link.shift, passed.top))));
			parent.top = add(parent.top, turn_back(link.rotation, passed.top));
			if (link.parent >= 0)
			{
				touched[link.parent] = 1;
			}
		}
		if (tree.fixed || signs)
		{
			break;
		}
		signs = lost_sign(base.top.x, z[-1].top.x) || lost_sign(base.top.y, z[-1].top.y) ||
				lost_sign(base.top.z, z[-1].top.z) || lost_sign(base.bottom.x, z[-1].bottom.x) ||
				lost_sign(base.bottom.y, z[-1].bottom.y) || lost_sign(base.bottom.z, z[-1].bottom.z);
		if (!signs)
		{
			break;
		}
		for (int i = 0; i < links; i++)
		{
			touched[i] = 1;
		}
	}

	a[-1].top = a[-1].bottom = zeros;
	if (!tree.fixed)
	{
		a[-1].top = negative(add(turn(tree.inverse[0], z[-1].top), turn(tree.inverse[1], z[-1].bottom)));
		a[-1].bottom = negative(add(turn(tree.inverse[2], z[-1].top), turn(tree.inverse[3], z[-1].bottom)));
	}
	for (int i = 0; i < links; i++)
	{
		const Link& link = tree.link[i];
		if (!link.moves)
		{
			continue;
		}
		Spatial here;
		here.top = turn(link.rotation, a[link.parent].top);
		here.bottom = add(negative(cross(link.shift, here.top)), turn(link.rotation, a[link.parent].bottom));
		if (link.joint)
		{
			const Lanes left = y[i] - (dot(link.inertia, here.bottom) + dot(link.inertia + 3, here.top));
			const Lanes joint = zero + all(link.inverse) * left;
			here.top = add(here.top, times(link.axis, joint));
			here.bottom = add(here.bottom, times(link.axis + 3, joint));
			for (int lane = 0; lane < 4; lane++)
			{
				accelerations[lane][6 + link.coordinate] = joint[lane];
			}
		}
		a[i] = here;
	}
	const Triple angular = turn_back(tree.base, a[-1].top), linear = turn_back(tree.base, a[-1].bottom);
	for (int lane = 0; lane < 4; lane++)
	{
		const double all[6] = {angular.x[lane], angular.y[lane], angular.z[lane],
							   linear.x[lane], linear.y[lane], linear.z[lane]};
		std::memcpy(accelerations[lane], all, sizeof all);
	}
}

// Velocities of `point` on `link` along three directions that one unit of each coordinate's velocity causes: three rows of
// the Jacobian. The fourth lane is for the angular part, which is zero here, but whose zeros have signs.
TARGET static void point_rows(const Tree& tree, int link, const double* point, const double directions[3][3],
							  double* const rows[3], const int* path, int length)
{
	const double arm[3] = {point[0] - tree.origin[0], point[1] - tree.origin[1], point[2] - tree.origin[2]};
	for (int i = 0; i < 3; i++)
	{
		const double* n = directions[i];
		double* row = rows[i];
		std::memset(row, 0, tree.size * sizeof(double));
		row[0] = (arm[1] * n[2] - arm[2] * n[1]) + 0.0;
		row[1] = (arm[2] * n[0] - arm[0] * n[2]) + 0.0;
		row[2] = (arm[0] * n[1] - arm[1] * n[0]) + 0.0;
		std::memcpy(row + 3, n, 3 * sizeof(double));
	}
	Triple direction = {{directions[0][0], directions[1][0], directions[2][0], 0},
						{directions[0][1], directions[1][1], directions[2][1], 0},
						{directions[0][2], directions[1][2], directions[2][2], 0}};
	direction = turn(tree.world, direction);
	double p[3];
	for (int i = 0; i < 3; i++)
	{
		const double* m = tree.world + 3 * i;
		p[i] = m[0] * arm[0] + m[1] * arm[1] + m[2] * arm[2];
	}
	for (int step = length - 1; step >= 0; step--)
	{
		const Link& here = tree.link[path[step]];
		direction = turn(here.turned, direction);
		double next[3];
		for (int i = 0; i < 3; i++)
		{
			const double* m = here.turned + 3 * i;
			next[i] = (m[0] * p[0] + m[1] * p[1] + m[2] * p[2]) - here.shift[i];
		}
		std::memcpy(p, next, sizeof p);
		if (!here.joint)
		{
			continue;
		}
		const double *top = here.axis, *bottom = here.axis + 3;
		const double moved[3] = {(top[1] * p[2] - top[2] * p[1]) + bottom[0], (top[2] * p[0] - top[0] * p[2]) + bottom[1],
								 (top[0] * p[1] - top[1] * p[0]) + bottom[2]};
		Lanes row = dot(here.slides ? bottom : moved, direction);
		if (!here.slides)
		{
			row = row + all(dot(top, direction)[3]);
		}
		for (int i = 0; i < 3; i++)
		{
			rows[i][6 + here.coordinate] = row[i];
		}
	}
}

// A matrix by rows; the fourth lane is unused.
struct Matrix
{
	Lanes row[3];
};

INLINE Matrix load(const btMatrix3x3& from)
{
	Matrix m;
	for (int i = 0; i < 3; i++)
	{
		// One by one: numbers that were just written one by one are slow to read as a whole.
		const Lanes row = {from[i][0], from[i][1], from[i][2], 0};
		m.row[i] = row;
	}
	return m;
}

INLINE Lanes combine(double x, double y, double z, const Matrix& m)
{
	return m.row[0] * all(x) + m.row[1] * all(y) + m.row[2] * all(z);
}

INLINE Matrix product(const Matrix& a, const Matrix& b)
{
	Matrix m = {{combine(a.row[0][0], a.row[0][1], a.row[0][2], b), combine(a.row[1][0], a.row[1][1], a.row[1][2], b),
				 combine(a.row[2][0], a.row[2][1], a.row[2][2], b)}};
	return m;
}

// The transpose of a matrix times another.
INLINE Matrix transposed_product(const Matrix& a, const Matrix& b)
{
	Matrix m = {{combine(a.row[0][0], a.row[1][0], a.row[2][0], b), combine(a.row[0][1], a.row[1][1], a.row[2][1], b),
				 combine(a.row[0][2], a.row[1][2], a.row[2][2], b)}};
	return m;
}

INLINE Matrix sum(const Matrix& a, const Matrix& b)
{
	Matrix m = {{a.row[0] + b.row[0], a.row[1] + b.row[1], a.row[2] + b.row[2]}};
	return m;
}

INLINE Matrix difference(const Matrix& a, const Matrix& b)
{
	Matrix m = {{a.row[0] - b.row[0], a.row[1] - b.row[1], a.row[2] - b.row[2]}};
	return m;
}

// Adds a link's block of the inertia, turned back into the parent's frame.
INLINE void turn_back_onto(const Matrix& rotation, const Matrix& block, btMatrix3x3& onto)
{
	const Matrix turned = sum(load(onto), product(transposed_product(rotation, block), rotation));
	for (int i = 0; i < 3; i++)
	{
		*reinterpret_cast<Lanes*>(static_cast<btScalar*>(onto[i])) = turned.row[i];
	}
}

// Adds a link's inertia to its parent's: the congruence with the transformation between their frames.
TARGET static void pass_inertia(const btMatrix3x3& from_parent, const btVector3& shift, const btSymmetricSpatialDyad& link,
								btSymmetricSpatialDyad& parent)
{
	const Matrix rotation = load(from_parent);
	const Matrix arm = {{{0, -shift[2], shift[1], 0}, {shift[2], 0, -shift[0], 0}, {-shift[1], shift[0], 0, 0}}};
	const Matrix corner = load(link.m_topLeftMat), mass = load(link.m_topRightMat);
	const Matrix moved = difference(corner, product(mass, arm));
	const Matrix turning = difference(sum(product(arm, moved), load(link.m_bottomLeftMat)), transposed_product(corner, arm));
	turn_back_onto(rotation, moved, parent.m_topLeftMat);
	turn_back_onto(rotation, mass, parent.m_topRightMat);
	turn_back_onto(rotation, turning, parent.m_bottomLeftMat);
}

#undef INLINE
