// Connections whose command processor stays within reach, so that what every frame needs can be had without a command:
// where things are. Its data are private to its source file, so that file is compiled here, as a part of this one.
#include "PhysicsServerCommandProcessor.cpp"

#include "PhysicsDirect.h"

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
	*processor = sdk;
	return client;
}

// The software renderer.
extern "C" void* bullet_renderer(void* processor)
{
	return data(processor)->m_pluginManager.getRenderInterface();
}

// Where the drawn shapes are, as the renderer would be told: for each collision object whose shape s has a place p =
// places[s] >= 0, a 4 x 4 matrix in single precision, by rows, at matrices[16 * p].
extern "C" void bullet_poses(void* processor, const int* places, int count, float* matrices)
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
