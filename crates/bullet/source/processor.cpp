// Connections whose command processor can be called directly, so that no frame needs a command for a time step or for the
// positions of bodies. A command would copy some 30 kB and notify plugins that do not exist. Nothing here throws
// but for want of memory, which ends the process. The processor's data are private to its source file, so that file is compiled here, as a part of this one.
#include "broadphase.h"
#include "solver.h"
#define btDbvtBroadphase ours::Broadphase
#define btHashedOverlappingPairCache ours::Pairs
#include "PhysicsServerCommandProcessor.cpp"
#undef btDbvtBroadphase
#undef btHashedOverlappingPairCache

#include "PhysicsDirect.h"

bool ours::Broadphase::allowed(btDbvtProxy* a, btDbvtProxy* b) const
{
	return static_cast<Pairs*>(m_paircache)->needsBroadphaseCollision(a, b);
}

namespace
{
// An explicit instantiation may name a private member: the language's own way to a class that offers no other.
template <typename Tag, typename Tag::type Member>
struct Open
{
	friend typename Tag::type member(Tag) { return Member; }
};
struct Data
{
	typedef PhysicsServerCommandProcessorInternalData* PhysicsServerCommandProcessor::*type;
	friend type member(Data);
};
template struct Open<Data, &PhysicsServerCommandProcessor::m_data>;

PhysicsServerCommandProcessorInternalData* data(void* processor)
{
	return static_cast<PhysicsServerCommandProcessor*>(processor)->*member(Data());
}
}  // namespace

// As b3ConnectPhysicsDirect. The client owns the processor.
extern "C" void* bullet_connect(void** processor)
{
	PhysicsServerCommandProcessor* sdk = new PhysicsServerCommandProcessor;
	PhysicsDirect* client = new PhysicsDirect(sdk, true);
	client->connect();
	PhysicsServerCommandProcessorInternalData* d = data(sdk);
	delete d->m_solver;
	d->m_solver = new ours::Solver;
	d->m_dynamicsWorld->setMultiBodyConstraintSolver(d->m_solver);
	*processor = sdk;
	return client;
}

// The software renderer.
extern "C" void* bullet_renderer(void* processor)
{
	return data(processor)->m_pluginManager.getRenderInterface();
}

// Simulates a time step: CMD_STEP_FORWARD_SIMULATION without its notifications and statistics.
extern "C" void bullet_step(void* processor) noexcept
{
	PhysicsServerCommandProcessorInternalData* d = data(processor);
	for (int n = 0; n < d->m_dynamicsWorld->getNumMultibodies(); n++)
	{
		btMultiBody* body = d->m_dynamicsWorld->getMultiBody(n);
		for (int link = 0; link < body->getNumLinks(); link++)
		{
			for (int i = 0; i < body->getLink(link).m_dofCount; i++)
			{
				double torque = -body->getLink(link).m_jointDamping * body->getJointVelMultiDof(link)[i];
				body->addJointTorqueMultiDof(link, i, torque);
			}
		}
	}
	btScalar seconds = d->m_physicsDeltaTime * simTimeScalingFactor;
	int parts = d->m_numSimulationSubSteps;
	if (parts > 0)
	{
		d->m_dynamicsWorld->stepSimulation(seconds, parts, d->m_physicsDeltaTime / parts);
	}
	else
	{
		d->m_dynamicsWorld->stepSimulation(seconds, 0);
	}
	d->m_simulationTimestamp += seconds;
}

namespace
{
void write(const btTransform& transform, double* pose)
{
	btQuaternion rotation = transform.getRotation();
	for (int i = 0; i < 3; i++)
	{
		pose[i] = transform.getOrigin()[i];
	}
	for (int i = 0; i < 4; i++)
	{
		pose[3 + i] = rotation[i];
	}
}
}  // namespace

// The state of a body with the given number of links, as CMD_REQUEST_ACTUAL_STATE tells it: poses (position, then
// quaternion) of the base and of the links, position and velocity of each link's joint (of its first coordinate, zeros if it
// has none). Gives 0 if there is no such body.
extern "C" int bullet_state(void* processor, int number, int links, double* base, double* joints, double* poses) noexcept
{
	InternalBodyData* body = data(processor)->m_bodyHandles.getHandle(number);
	if (body && body->m_multiBody && body->m_multiBody->getNumLinks() == links)
	{
		btMultiBody* multibody = body->m_multiBody;
		btTransform transform;
		transform.setOrigin(multibody->getBasePos());
		transform.setRotation(multibody->getWorldToBaseRot().inverse());
		write(transform, base);
		for (int link = 0; link < links; link++)
		{
			const btMultibodyLink& part = multibody->getLink(link);
			joints[2 * link] = part.m_posVarCount > 0 ? multibody->getJointPosMultiDof(link)[0] : 0;
			joints[2 * link + 1] = part.m_dofCount > 0 ? multibody->getJointVelMultiDof(link)[0] : 0;
			write(part.m_cachedWorldTransform, poses + 7 * link);
		}
		return 1;
	}
	if (body && body->m_rigidBody && links == 0)
	{
		write(body->m_rigidBody->getWorldTransform(), base);
		return 1;
	}
	return 0;
}

// The positions of the drawn shapes, as the renderer would get them: for each collision object whose shape s has a place p =
// places[s] >= 0, a 4 x 4 matrix in single precision, by rows, at matrices[16 * p].
extern "C" void bullet_poses(void* processor, const int* places, int count, float* matrices) noexcept
{
	const btCollisionObjectArray& objects = data(processor)->m_dynamicsWorld->getCollisionObjectArray();
	for (int n = 0; n < objects.size(); n++)
	{
		int shape = objects[n]->getUserIndex3();
		if (shape < 0 || shape >= count || places[shape] < 0)
		{
			continue;
		}
		btScalar columns[16];
		objects[n]->getWorldTransform().getOpenGLMatrix(columns);
		for (int i = 0; i < 4; i++)
		{
			for (int j = 0; j < 4; j++)
			{
				matrices[16 * places[shape] + 4 * i + j] = columns[i + 4 * j];
			}
		}
	}
}
