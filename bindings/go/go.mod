module ouro

go 1.19
