// The one door from Rust into Bullet's command processor. Its importers throw on texts that they do not expect (a missing
// attribute becomes a std::string from a null pointer), and an exception must not travel into Rust.
#include "PhysicsClientC_API.h"

extern "C" int bullet_guarded_submit(b3PhysicsClientHandle client, b3SharedMemoryCommandHandle command)
{
	try
	{
		b3SubmitClientCommand(client, command);
		return 1;
	}
	catch (...)
	{
		return 0;
	}
}
