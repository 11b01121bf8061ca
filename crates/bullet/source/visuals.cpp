// The shapes that the software renderer would draw, as plain arrays: meshes as its converter made them, colours and
// textures. The converter's data are private to its source file, so that file is compiled here, as a part of this one.
#include "plugins/tinyRendererPlugin/TinyRendererVisualShapeConverter.cpp"

namespace
{
// An explicit instantiation may name a private member: the language's own way to a class that offers no other.
template <typename Tag, typename Tag::type Member>
struct Open
{
	friend typename Tag::type member(Tag) { return Member; }
};
struct Texture
{
	typedef TGAImage TinyRender::Model::*type;
	friend type member(Texture);
};
template struct Open<Texture, &TinyRender::Model::diffusemap_>;

struct Place
{
	int shape;
	TinyRenderObjectData* object;
};

// The drawn object of the given number, in the order of drawing; its object is null past the last.
Place find(void* renderer, int number)
{
	TinyRendererVisualShapeConverter* converter =
		static_cast<TinyRendererVisualShapeConverter*>(static_cast<UrdfRenderingInterface*>(renderer));
	for (int n = 0; n < converter->m_data->m_swRenderInstances.size(); n++)
	{
		TinyRendererObjectArray* instance = *converter->m_data->m_swRenderInstances.getAtIndex(n);
		if (number < instance->m_renderObjects.size())
		{
			Place place = {converter->m_data->m_swRenderInstances.getKeyAtIndex(n).getUid1(), instance->m_renderObjects[number]};
			return place;
		}
		number -= instance->m_renderObjects.size();
	}
	Place none = {-1, 0};
	return none;
}
}  // namespace

struct bullet_visual
{
	int shape;
	int double_sided;
	int vertices;
	int faces;
	int texture_width;
	int texture_height;
	float color[4];
};

extern "C" int bullet_visual_describe(void* renderer, int number, bullet_visual* visual)
{
	Place place = find(renderer, number);
	if (place.object == 0 || place.object->m_model == 0)
	{
		return 0;
	}
	TinyRender::Model* model = place.object->m_model;
	TGAImage& texture = model->*member(Texture());
	visual->shape = place.shape;
	visual->double_sided = place.object->m_doubleSided;
	visual->vertices = model->nverts();
	visual->faces = model->nfaces();
	visual->texture_width = texture.get_width();
	visual->texture_height = texture.get_height();
	for (int i = 0; i < 4; i++)
	{
		visual->color[i] = model->getColorRGBA()[i];
	}
	return 1;
}

extern "C" void bullet_visual_read(void* renderer, int number, float* positions, float* normals, float* coordinates,
								   int* faces, unsigned char* texels)
{
	TinyRender::Model* model = find(renderer, number).object->m_model;
	for (int i = 0; i < model->nverts(); i++)
	{
		for (int j = 0; j < 3; j++)
		{
			positions[3 * i + j] = model->vert(i)[j];
			normals[3 * i + j] = model->readWriteNormals()[i][j];
		}
	}
	for (int i = 0; i < model->nfaces(); i++)
	{
		std::vector<int> corners = model->face(i);
		for (int j = 0; j < 3; j++)
		{
			faces[3 * i + j] = corners[j];
			coordinates[2 * corners[j]] = model->uv(i, j).x;
			coordinates[2 * corners[j] + 1] = model->uv(i, j).y;
		}
	}
	TGAImage& texture = model->*member(Texture());
	if (texture.buffer())
	{
		memcpy(texels, texture.buffer(), 3 * texture.get_width() * texture.get_height());
	}
}
