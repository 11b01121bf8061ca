# The program in a small image:
#
#     docker build -t dreamgraft .
#     docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/study" dreamgraft train inverted-pendulum-swingup
#
# It runs as the user `dreamgraft` (number 10001) unless --user names another, and works in /study: that user must be able to
# write to volumes that are mounted there (in Kubernetes: `securityContext: { fsGroup: 10001 }`).

FROM rust:1.95.0-bookworm AS build
# The image has this toolchain already; without this line, rustup would also download the components in rust-toolchain.toml.
ENV RUSTUP_TOOLCHAIN=1.95.0
WORKDIR /source
COPY . .
RUN cargo build --release --locked -p dreamgraft && strip --strip-debug target/release/dreamgraft

FROM debian:bookworm-slim
# The simulator Bullet is C++.
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 10001 --create-home dreamgraft && install -d -o dreamgraft -g dreamgraft /study
COPY --from=build /source/target/release/dreamgraft /usr/local/bin/dreamgraft
COPY LICENSE-MIT LICENSE-APACHE /usr/share/doc/dreamgraft/
USER 10001
WORKDIR /study
ENTRYPOINT ["dreamgraft"]
CMD ["--help"]
