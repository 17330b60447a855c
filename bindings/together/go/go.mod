module together

go 1.19

require ouro v0.0.0

replace ouro => ../../go
